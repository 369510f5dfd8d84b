"""Request bodies: read within a limit, and parsed strictly."""

import json
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from gateway.refusals import refuse

LIMIT = 1024 * 1024
_JSON = "application/json"


async def read(request: Request) -> bytes:
    """The body's bytes; refuses BODY_TOO_LARGE as soon as it is known, MEDIA_TYPE_UNSUPPORTED what is not JSON."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LIMIT:
        raise refuse("BODY_TOO_LARGE")
    body = await _within_limit(request)
    if body:
        _demand_json(request.headers.get("content-type", ""))
    return body


def parse(body: bytes) -> Any:
    """The value that strict JSON in UTF-8 holds; refuses MALFORMED_JSON, DUPLICATE_KEY and NESTED_TOO_DEEPLY."""
    try:
        value = orjson.loads(body)
        json.loads(body, object_pairs_hook=_demand_unique)
    except RecursionError as error:
        raise refuse("NESTED_TOO_DEEPLY") from error
    except ValueError as error:
        raise refuse("MALFORMED_JSON") from error
    return value


async def _within_limit(request: Request) -> bytes:
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > LIMIT:
                raise refuse("BODY_TOO_LARGE")
            parts.append(part)
    except ClientDisconnect as error:
        raise refuse("MALFORMED_JSON") from error
    return b"".join(parts)


def _demand_json(content_type: str) -> None:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if kind != _JSON or any(part not in ("", "charset=utf-8", 'charset="utf-8"') for part in parameters):
        raise refuse("MEDIA_TYPE_UNSUPPORTED")


def _demand_unique(pairs: list[tuple[str, Any]]) -> None:
    # orjson keeps the last of two equal keys; which of them a client meant nobody knows.
    if len({key for key, _ in pairs}) != len(pairs):
        raise refuse("DUPLICATE_KEY", field=next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i])))
