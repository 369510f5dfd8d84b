"""Access tokens of the realm, verified offline: RS256 by its keys, exact issuer and audience, access tokens only."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
from joserfc import jwt
from joserfc.errors import JoseError

from chassis import clock
from chassis.errors import Refusals
from gateway.keys import Keys
from tongxiao.identity.v1 import reason_pb2

ALGORITHM = "RS256"
LEEWAY_S = 10
LONGEST = 16_000

_refuse = Refusals(reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"])


@dataclass(frozen=True)
class Claims:
    """What a verified token says."""

    subject: str
    session_id: str
    issued_at: datetime
    expires_at: float


class Verifier:
    """Checks tokens; refuses TOKEN_INVALID every one that is not the realm's, for us, and of now."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience

    async def verify(self, token: str) -> Claims:
        """The claims of a token; refuses SIGN_IN_UNAVAILABLE while no key could be had."""
        key = await self._keys.find(_key_id(token))
        if key is None:
            refuse_token()
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError):
            refuse_token()
        return self._checked(claims)

    def _checked(self, claims: Mapping[str, Any]) -> Claims:
        audience = claims.get("aud")
        ours = self._audience in audience if isinstance(audience, list) else self._audience == audience
        if claims.get("iss") != self._issuer or not ours or claims.get("typ") != "Bearer":
            refuse_token()
        subject, now = claims.get("sub"), clock.now().timestamp()
        issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
        starts = _moment(claims, "nbf") if "nbf" in claims else issued
        if not isinstance(subject, str) or not subject:
            refuse_token()
        if expires + LEEWAY_S <= now or max(issued, starts) - LEEWAY_S > now:
            refuse_token()
        session_id = claims.get("sid")
        return Claims(
            subject=subject,
            session_id=session_id if isinstance(session_id, str) else "",
            issued_at=datetime.fromtimestamp(issued, UTC),
            expires_at=expires + LEEWAY_S,
        )


def refuse_token() -> NoReturn:
    raise _refuse("TOKEN_INVALID")


def _key_id(token: str) -> str:
    """The key a token names in its header, which must name our algorithm too."""
    if len(token) > LONGEST or token.count(".") != 2:
        refuse_token()
    text = token.split(".", 1)[0]
    try:
        header = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        refuse_token()
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
        refuse_token()
    found: str = header["kid"]
    return found


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        refuse_token()
    return float(value)
