"""Access tokens of the realm, verified offline: RS256 by its keys, exact issuer and audience, access tokens only."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chassis import clock
from identity.refusals import refuse

log = logging.getLogger(__name__)

ALGORITHM, LEEWAY_S = "RS256", 10
_TIMEOUT_S = 3


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a verified token says."""

    subject: str
    employee_id: str
    session_id: str
    issued_at: datetime
    roles: frozenset[str]


class RealmKeys:
    """The realm's public keys; an unknown one makes them be fetched again, every so many seconds at most."""

    def __init__(self, fetch: Callable[[], KeySet], *, refetch_s: float) -> None:
        self._fetch, self._refetch_s = fetch, refetch_s
        self._keys: KeySet | None = None
        self._tried = float("-inf")
        self._lock = threading.Lock()

    def get(self, *, beyond: KeySet | None = None) -> KeySet:
        """The keys known, or newer ones than `beyond` if it is time; SIGN_IN_UNAVAILABLE while none were ever had."""
        with self._lock:
            if self._keys is None or self._keys is beyond:
                self._refetch()
            if self._keys is None:
                raise refuse("SIGN_IN_UNAVAILABLE")
            return self._keys

    def _refetch(self) -> None:
        now = clock.now().timestamp()
        if self._keys is not None and now - self._tried < self._refetch_s:
            return
        self._tried = now
        try:
            self._keys = self._fetch()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the realm's keys cannot be fetched: %s", type(error).__name__)


class TokenVerifier:
    """Checks tokens; refuses TOKEN_INVALID every one that is not the realm's, for us, and of now."""

    def __init__(self, keys: RealmKeys, *, issuer: str, audience: str) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience

    def verify(self, token: str) -> Claims:
        """What a token says; refuses SIGN_IN_UNAVAILABLE while no key could be had."""
        keys = self._keys.get()
        try:
            return self._claims(token, keys)
        except (JoseError, ValueError, TypeError):
            newer = self._keys.get(beyond=keys)
        if newer is keys:
            _refuse()
        try:
            return self._claims(token, newer)
        except (JoseError, ValueError, TypeError):
            _refuse()

    def _claims(self, token: str, keys: KeySet) -> Claims:
        return self._checked(jwt.decode(token, keys, algorithms=[ALGORITHM]).claims)

    def _checked(self, claims: Mapping[str, Any]) -> Claims:
        audience = claims.get("aud")
        ours = self._audience in audience if isinstance(audience, list) else self._audience == audience
        if claims.get("iss") != self._issuer or not ours or claims.get("typ") != "Bearer":
            _refuse()
        now, issued, expires = clock.now().timestamp(), _moment(claims, "iat"), _moment(claims, "exp")
        starts = _moment(claims, "nbf") if "nbf" in claims else issued
        if expires + LEEWAY_S <= now or max(issued, starts) - LEEWAY_S > now or not _text(claims, "sub"):
            _refuse()
        roles = claims.get("roles")
        return Claims(
            subject=_text(claims, "sub"),
            employee_id=_text(claims, "employee_id"),
            session_id=_text(claims, "sid"),
            issued_at=datetime.fromtimestamp(issued, UTC),
            roles=frozenset(role for role in roles if isinstance(role, str))
            if isinstance(roles, list)
            else frozenset(),
        )


def fetching(url: str) -> Callable[[], KeySet]:
    """Fetches the keys of a realm, given its address."""

    def fetch() -> KeySet:
        answer = httpx.get(f"{url}/protocol/openid-connect/certs", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        keys = [key for key in answer.json()["keys"] if key.get("use") == "sig" and key.get("kty") == "RSA"]
        return KeySet.import_key_set({"keys": keys})

    return fetch


def _refuse() -> NoReturn:
    raise refuse("TOKEN_INVALID")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        _refuse()
    return float(value)
