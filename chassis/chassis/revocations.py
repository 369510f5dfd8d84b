"""Who was revoked: heard from the broker, asked of the owner, and unknown when both are gone."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import grpc
import pika
from google.protobuf.timestamp_pb2 import Timestamp
from pika.exceptions import AMQPError

from chassis import channels, clock, envelope
from chassis.caller import Caller
from chassis.errors import refuse
from tongxiao.identity.events.v1 import events_pb2
from tongxiao.identity.v1 import session_pb2, session_pb2_grpc

log = logging.getLogger(__name__)

EXCHANGE, ROUTING_KEY = "identity.events", "session.revoked.v1"
# Longer than any token or passport lives: an older revocation voids nothing that has not expired.
KEPT = timedelta(minutes=20)
# What committed just before the owner answered may carry an earlier time.
OVERLAP = timedelta(seconds=30)
_BREATH_S = 0.5


@dataclass(frozen=True)
class Revocation:
    """Passports of the person (of the one session, if it names one) from before the moment are void.

    Where only rights changed, a fresh passport may be fetched with the same token.
    """

    person_id: UUID
    session_id: str
    revoke_time: datetime
    rights_only: bool


# Answers the revocations since a moment, and the owner's clock.
Recent = Callable[[datetime], tuple[list[Revocation], datetime]]


class Revocations:
    """Follows revocations on a thread of its own, from `start` to `stop`. Safe to ask from any thread."""

    def __init__(self, broker_url: str, recent: Recent, *, poll_s: float = 5, grace_s: float = 60) -> None:
        self._parameters = pika.URLParameters(broker_url)
        self._parameters.heartbeat, self._parameters.socket_timeout = 10, 2
        self._parameters.stack_timeout, self._parameters.blocked_connection_timeout = 4, 4
        self._recent, self._poll_s, self._grace_s = recent, poll_s, grace_s
        self._persons: dict[tuple[UUID, bool], datetime] = {}
        self._sessions: dict[str, datetime] = {}
        self._listeners: list[Callable[[Revocation], None]] = []
        self._asked_until = clock.now() - KEPT
        self._heard = self._polled = self._tried = self._warned = -float("inf")
        # Whether the owner has been asked since the feed began: what came before it is known too.
        self._whole = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="revocations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def listen(self, listener: Callable[[Revocation], None]) -> None:
        """Have each new revocation told, on this class's thread."""
        self._listeners.append(listener)

    def known(self) -> bool:
        """Whether the feed or the owner was heard within the grace, with nothing missed before."""
        return time.monotonic() - max(self._heard, self._polled) < self._grace_s

    def check(self, caller: Caller) -> None:
        """Refuse a revoked caller SESSION_REVOKED, and anybody REVOCATIONS_UNKNOWN while nothing is known."""
        if not self.known():
            raise refuse("REVOCATIONS_UNKNOWN")
        if self.revoked(caller.person_id, caller.session_id, caller.issued_at, rights_too=True):
            raise refuse("SESSION_REVOKED")

    def revoked(self, person_id: UUID, session_id: str, issued_at: datetime, *, rights_too: bool = False) -> bool:
        """Whether what was issued to a session then is void; `rights_too`, also if only rights have changed since."""
        moments = [self._persons.get((person_id, False))]
        if rights_too:
            moments.append(self._persons.get((person_id, True)))
        return session_id in self._sessions or any(moment and issued_at < moment for moment in moments)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except (AMQPError, OSError) as error:
                self._warn("the feed of revocations is down", error)
            self._whole = False
            self._ask_if_due()
            self._stopping.wait(_BREATH_S)

    def _follow(self) -> None:
        """Listen until the connection ends; the owner is asked as well, since a silent feed may be a dead one."""
        connection = pika.BlockingConnection(self._parameters)
        try:
            channel = connection.channel()
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
            channel.queue_bind(queue, EXCHANGE, ROUTING_KEY)
            channel.basic_consume(queue, lambda _c, _m, _p, body: self._hear(body), auto_ack=True)
            self._ask()
            while channel.is_open and not self._stopping.is_set():
                connection.process_data_events(time_limit=_BREATH_S)
                self._heard = time.monotonic() if self._whole else self._heard
                self._ask_if_due()
        finally:
            if connection.is_open:
                connection.close()

    def _warn(self, text: str, error: Exception) -> None:
        """Once a poll, not at every try."""
        if time.monotonic() - self._warned >= self._poll_s:
            self._warned = time.monotonic()
            log.warning("%s: %s", text, type(error).__name__)

    def _hear(self, body: bytes) -> None:
        try:
            found = envelope.decode(body).read(events_pb2.SessionRevoked())
            self._apply([_revocation(found)])
        except Exception:
            # Whatever was sent, the feed goes on.
            log.exception("a revocation could not be read")

    def _ask_if_due(self) -> None:
        if time.monotonic() - self._tried >= self._poll_s:
            self._ask()

    def _ask(self) -> None:
        self._tried = time.monotonic()
        try:
            found, as_of = self._recent(self._asked_until)
        except grpc.RpcError as error:
            self._warn("revocations cannot be asked for", error)
            return
        self._apply(found)
        self._asked_until = as_of - OVERLAP
        self._polled, self._whole = time.monotonic(), True

    def _apply(self, found: Iterable[Revocation]) -> None:
        for each in found:
            if self._keep(each):
                for listener in self._listeners:
                    listener(each)
        self._forget(clock.now() - KEPT)

    def _keep(self, found: Revocation) -> bool:
        """Whether it says more than was known."""
        if found.session_id and not found.rights_only:
            known = found.session_id in self._sessions
            self._sessions[found.session_id] = found.revoke_time
            return not known
        key = (found.person_id, found.rights_only)
        known = self._persons.get(key, found.revoke_time - OVERLAP) >= found.revoke_time
        self._persons[key] = max(found.revoke_time, self._persons.get(key, found.revoke_time))
        return not known

    def _forget(self, before: datetime) -> None:
        self._persons = {key: moment for key, moment in self._persons.items() if moment >= before}
        self._sessions = {key: moment for key, moment in self._sessions.items() if moment >= before}


def asking(target: str, service_token: str) -> Recent:
    """Asks the owner over gRPC, for two seconds at most."""
    stub = session_pb2_grpc.SessionsServiceStub(channels.channel(target))

    def recent(since: datetime) -> tuple[list[Revocation], datetime]:
        moment = Timestamp()
        moment.FromDatetime(since)
        request = session_pb2.ListRevocationsRequest(since_time=moment)
        answer = stub.ListRevocations(request, timeout=2, metadata=(("tongxiao-service-token", service_token),))
        return [_revocation(found) for found in answer.revocations], answer.as_of_time.ToDatetime(UTC)

    return recent


def _revocation(found: session_pb2.Revocation | events_pb2.SessionRevoked) -> Revocation:
    return Revocation(
        person_id=UUID(found.person_id),
        session_id=found.session_id,
        revoke_time=found.revoke_time.ToDatetime(UTC),
        rights_only=found.rights_only,
    )
