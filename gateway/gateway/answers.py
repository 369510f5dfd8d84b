"""Answers on their way out: status, headers, and a body that is compressed where that pays."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.types import Send

from gateway import problems
from gateway.problems import Problem
from gateway.visits import Visit

Headers = list[tuple[bytes, bytes]]

COMPRESSED_FROM = 1024
# The first level takes a fifth of the default's time and leaves a few per cent more bytes.
LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS

SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-site"),
]
NOTHING_LOADS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
REVALIDATE = (b"cache-control", b"private, no-cache")
NEVER_STORE = (b"cache-control", b"no-store")


@dataclass(slots=True)
class Answer:
    """A whole response."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    media_type: bytes = b"application/json"
    # In place of a body: so many bytes, as they come.
    stream: "tuple[int, AsyncIterator[bytes]] | None" = None


def problem(found: Problem, visit: Visit) -> Answer:
    """A problem in the client's language."""
    path = visit.request.url.path
    body = problems.body(found, path=path, language=visit.language, trace_id=visit.trace_id)
    headers = [NEVER_STORE, (b"content-language", visit.language.encode()), (b"vary", b"Accept-Language")]
    if found.status == 401:
        given = b' error="invalid_token"' if found.reason != "TOKEN_MISSING" else b""
        headers.append((b"www-authenticate", b'Bearer realm="tongxiao"' + (b"," + given if given else b"")))
    if found.retry_after:
        headers.append((b"retry-after", found.retry_after.encode()))
    if found.status == 413:
        headers.append((b"connection", b"close"))
    return Answer(found.status, body, headers, problems.MEDIA_TYPE)


async def send(answer: Answer, visit: Visit, to: Send) -> None:
    body, headers = answer.body, answer.headers + SECURITY
    headers.append(NOTHING_LOADS)
    if answer.stream:
        await _send_stream(answer, visit, to, headers)
        return
    if body:
        headers.append((b"content-type", answer.media_type))
        if len(body) >= COMPRESSED_FROM:
            headers.append((b"vary", b"Accept-Encoding"))
            if b"gzip" in visit.headers.get(b"accept-encoding", b""):
                body = _compressed(body)
                headers.append((b"content-encoding", b"gzip"))
    if answer.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    await to({"type": "http.response.start", "status": answer.status, "headers": headers})
    await to({"type": "http.response.body", "body": b"" if visit.request.method == "HEAD" else body})


async def _send_stream(answer: Answer, visit: Visit, to: Send, headers: Headers) -> None:
    assert answer.stream
    size, parts = answer.stream
    headers += [(b"content-type", answer.media_type), (b"content-length", b"%d" % size)]
    await to({"type": "http.response.start", "status": answer.status, "headers": headers})
    if visit.request.method != "HEAD":
        async for part in parts:
            await to({"type": "http.response.body", "body": part, "more_body": True})
    await to({"type": "http.response.body", "body": b""})


def _compressed(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, wbits=_GZIP)
    return packer.compress(body) + packer.flush()
