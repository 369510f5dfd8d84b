"""Asks services on behalf of a visit: with its passport, deadline, trace and idempotency key."""

from functools import partial
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from protobuf import Message as Reply

from gateway import catalogue, replies, requests, tracing
from gateway.catalogue import Rpc
from gateway.problems import Problem
from gateway.recent import Recent
from gateway.sessions import Passport, Session, Sessions
from gateway.upstream import Upstream
from gateway.visits import Visit
from tongxiao.identity.v1 import session_pb2

EXCHANGE_S = 3
# A service may have heard of a revocation before this process did.
_STALE = ("SESSION_REVOKED", "PASSPORT_INVALID")


class Client:
    """Asks RPCs for people."""

    def __init__(self, upstream: Upstream, sessions: Sessions) -> None:
        self._upstream, self._sessions, self._recent = upstream, sessions, Recent()

    async def ask(self, visit: Visit, rpc: Rpc, request: Message) -> Reply:
        """The reply, or the Problem the service answered; a passport it no longer takes is renewed once."""
        if visit.session is None:
            return await self._ask(visit, rpc, request)
        held = visit.session.passport
        try:
            return await self._ask(visit, rpc, request)
        except Problem as problem:
            if problem.reason not in _STALE:
                raise
        if visit.session.passport is held:
            await self._sessions.renew(visit.session)
        return await self._ask(visit, rpc, request)

    async def _ask(self, visit: Visit, rpc: Rpc, request: Message) -> Reply:
        span = tracing.rpc(rpc.path, visit.span)
        try:
            return await self._call(visit, rpc, request, tracing.traceparent(span, visit.trace_id))
        except Problem as problem:
            span.set_attribute("tongxiao.reason", problem.reason)
            raise
        finally:
            span.end()

    async def _call(self, visit: Visit, rpc: Rpc, request: Message, traceparent: str) -> Reply:
        metadata, seconds = _metadata(visit, visit.session, traceparent), visit.remaining
        if rpc.reads or visit.session is None:
            return await self._upstream.call(rpc, request, metadata=metadata, seconds=seconds)
        person_id = visit.session.person_id
        is_made = partial(self._recent.knows, person_id)
        reply = await self._upstream.call(rpc, request, metadata=metadata, seconds=seconds, is_made=is_made)
        if rpc.method.name.startswith("Delete"):
            self._recent.forget(person_id, getattr(request, "id", ""))
        else:
            self._recent.note(person_id, replies.value(reply, "id"))
        return reply


async def exchange(upstream: Upstream, token: str) -> Passport:
    """A passport for a token; raises the Problem that identity answered."""
    rpc = catalogue.find("SessionsService.IssuePassport")
    request = session_pb2.IssuePassportRequest(access_token=token)
    reply: Any = await upstream.call(rpc, request, metadata=(), seconds=EXCHANGE_S)
    expires_at = reply.expire_time.seconds + reply.expire_time.nanos / 1e9
    return Passport(reply.passport, UUID(reply.person_id), expires_at)


def _metadata(visit: Visit, session: Session | None, traceparent: str) -> list[tuple[str, str]]:
    found = [("traceparent", traceparent), ("tongxiao-origin", visit.origin)]
    if session and session.passport:
        found.append(("tongxiao-passport", session.passport.text))
    if key := requests.idempotency_key(visit.request):
        found.append(("idempotency-key", key))
    return found
