"""Which other origins' pages may call this API. Tokens travel in a header, so cookies are never asked for."""

from collections.abc import Collection

from gateway.answers import Headers
from gateway.visits import Visit

Origins = frozenset[bytes]

EXPOSED = b"Content-Disposition, ETag, Location, RateLimit, RateLimit-Policy, Retry-After"
ACCEPTED = b"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Accept-Language, traceparent"
REMEMBERED_S = b"7200"


def headers(origins: Origins, visit: Visit) -> Headers:
    """What lets the page of an allowed origin read an answer."""
    origin = visit.headers.get(b"origin")
    if not origins or origin not in origins:
        return []
    return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED), (b"vary", b"Origin")]


def preflight(origins: Origins, visit: Visit, methods: Collection[str]) -> Headers:
    """What lets the page of an allowed origin ask."""
    if visit.headers.get(b"origin") not in origins or b"access-control-request-method" not in visit.headers:
        return []
    return [
        (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
        (b"access-control-allow-headers", ACCEPTED),
        (b"access-control-max-age", REMEMBERED_S),
    ]
