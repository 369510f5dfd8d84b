"""Sessions: a token verified once, exchanged for a passport that is kept fresh, until it expires or is revoked."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chassis.errors import refuse as refuse_common
from chassis.ids import NIL
from chassis.revocations import Revocation, Revocations
from gateway.problems import Problem
from gateway.refusals import refuse
from gateway.tokens import Claims, refuse_token

log = logging.getLogger(__name__)

REFRESH_S = 60
# How soon a refresh that failed is tried again.
AGAIN_S = 5
KEPT = 20_000
TURNS = 3


class Verify(Protocol):
    async def verify(self, token: str) -> Claims:
        """The claims of a token, or a refusal."""


@dataclass(frozen=True)
class Passport:
    """What identity gives for a token. `expires_at` is in seconds since 1970."""

    text: str
    person_id: UUID
    expires_at: float


Exchange = Callable[[str], Awaitable[Passport]]


@dataclass(slots=True, eq=False)
class Session:
    """One token in use."""

    token: str
    claims: Claims
    passport: Passport | None = None
    person_id: UUID = NIL
    refresh_at: float = 0
    renewal: "asyncio.Task[None] | None" = None


class Sessions:
    """The sessions of this process. Everything runs on one event loop; revocations are told through `drop`."""

    def __init__(self, verifier: Verify, exchange: Exchange, revocations: Revocations) -> None:
        self._verifier, self._exchange, self._revocations = verifier, exchange, revocations
        self._sessions: dict[bytes, Session] = {}
        self._of_person: dict[UUID, set[Session]] = {}
        # When each person's passports were last dropped, counted in drops.
        self._dropped: dict[UUID, int] = {}
        self._drops = 0

    async def enter(self, authorization: str) -> Session:
        """The session of an Authorization header.

        Refuses TOKEN_MISSING, TOKEN_INVALID, SESSION_REVOKED, whatever identity refuses; and while they cannot be
        told, SIGN_IN_UNAVAILABLE, SERVICE_UNAVAILABLE and REVOCATIONS_UNKNOWN.
        """
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        session = self._sessions.get(digest)
        if session is None:
            session = self._keep(digest, Session(token, await self._verifier.verify(token)))
        now = time.time()
        if session.claims.expires_at <= now:
            self._forget(digest)
            refuse_token()
        self._demand_unrevoked(session)
        if session.passport is None or session.passport.expires_at <= now:
            await self.renew(session)
            self._demand_unrevoked(session)
        elif session.refresh_at <= now:
            self._begin_renewal(session)
        return session

    async def renew(self, session: Session) -> None:
        """Fetch a fresh passport now; requests that want the same wait for one fetch together."""
        await asyncio.shield(self._begin_renewal(session))

    def drop(self, revocation: Revocation) -> None:
        """Forget the person's passports: what they may do has changed, or nothing is left of it."""
        self._drops += 1
        self._dropped[revocation.person_id] = self._drops
        for session in self._of_person.get(revocation.person_id, ()):
            session.passport = None

    def _begin_renewal(self, session: Session) -> "asyncio.Task[None]":
        if session.renewal is None or session.renewal.done():
            session.renewal = asyncio.create_task(self._renew(session))
            session.renewal.add_done_callback(_log_failure)
        return session.renewal

    def _demand_unrevoked(self, session: Session) -> None:
        if not self._revocations.known():
            raise refuse_common("REVOCATIONS_UNKNOWN")
        claims = session.claims
        if self._revocations.revoked(session.person_id, claims.session_id, claims.issued_at):
            raise refuse_common("SESSION_REVOKED")

    async def _renew(self, session: Session) -> None:
        """Exchange the token. While identity cannot be reached the passport serves on, until it expires."""
        try:
            passport = await self._exchanged(session.token)
        except Problem as problem:
            session.refresh_at = time.time() + AGAIN_S
            session.passport = session.passport if problem.status == 503 else None
            raise
        session.refresh_at = time.time() + REFRESH_S
        session.passport, session.person_id = passport, passport.person_id
        self._of_person.setdefault(passport.person_id, set()).add(session)

    async def _exchanged(self, token: str) -> Passport:
        """A passport from after the last revocation: an answer that crossed one is asked for again."""
        for _ in range(TURNS):
            drops = self._drops
            passport = await self._exchange(token)
            if self._dropped.get(passport.person_id, 0) <= drops:
                break
        return passport

    def _keep(self, digest: bytes, session: Session) -> Session:
        if len(self._sessions) >= KEPT:
            self._make_room()
        return self._sessions.setdefault(digest, session)

    def _make_room(self) -> None:
        now = time.time()
        for digest in [key for key, found in self._sessions.items() if found.claims.expires_at <= now]:
            self._forget(digest)
        for digest in list(self._sessions)[: max(0, len(self._sessions) - KEPT // 2)]:
            self._forget(digest)

    def _forget(self, digest: bytes) -> None:
        session = self._sessions.pop(digest, None)
        if session is not None and session.person_id in self._of_person:
            self._of_person[session.person_id].discard(session)
            if not self._of_person[session.person_id]:
                del self._of_person[session.person_id]


def _log_failure(renewal: "asyncio.Task[None]") -> None:
    if not renewal.cancelled() and (error := renewal.exception()):
        log.warning("a passport could not be fetched: %s", error)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if not authorization:
        raise refuse("TOKEN_MISSING")
    if scheme.lower() != "bearer" or not token or not token.isascii():
        refuse_token()
    return token.strip()
