"""Page tokens: opaque, sealed, and bound to the person and the request they were made for. They carry no authority."""

import base64
import hashlib
import hmac
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.call import Call
from chassis.errors import refuse


def fingerprint(call: Call, request: Any) -> bytes:
    """What a token is bound to: the person, the RPC and everything asked for but the page itself."""
    asked = type(request).FromString(request.SerializeToString())
    asked.page_token, asked.page_size = "", 0
    content = asked.SerializeToString(deterministic=True)
    return hashlib.sha256(call.caller.person_id.bytes + call.rpc.path.encode() + content).digest()


_secret = b""


def use_secret(secret: str) -> None:
    """Sign page tokens with a secret that all processes of a service share."""
    global _secret
    _secret = hashlib.sha256(b"page token" + secret.encode()).digest()


def token_of(key: Any, id_: UUID, mark: bytes) -> str:
    value = (
        {"t": key.isoformat()}
        if isinstance(key, datetime)
        else {"d": key.isoformat()}
        if isinstance(key, date)
        else {"s": key}
    )
    body = json.dumps([value, id_.hex], separators=(",", ":"), default=str).encode()
    return base64.urlsafe_b64encode(_seal(body, mark) + body).decode().rstrip("=")


def read_token(token: str, mark: bytes) -> tuple[Any, UUID]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        seal, body = raw[:16], raw[16:]
        if not hmac.compare_digest(seal, _seal(body, mark)):
            raise ValueError("not sealed by this service for this request")
        value, id_ = json.loads(body)
    except (ValueError, TypeError) as error:
        raise refuse("PAGE_TOKEN_INVALID", field="page_token") from error
    if "t" in value:
        return datetime.fromisoformat(value["t"]), UUID(id_)
    return date.fromisoformat(value["d"]) if "d" in value else value["s"], UUID(id_)


def _seal(body: bytes, mark: bytes) -> bytes:
    return hmac.digest(_secret, mark + body, "sha256")[:16]
