"""Revocations over a real broker, and what is known when it or the owner is gone."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid4

import grpc
import pika
import pytest

from chassis import clock, envelope
from chassis.caller import Caller
from chassis.envelope import Envelope
from chassis.errors import DomainError
from chassis.revocations import EXCHANGE, ROUTING_KEY, Revocation, Revocations
from chassis.testing import Environment, eventually
from chassis.testing.broker import call
from tongxiao.identity.events.v1 import events_pb2

NOWHERE = "amqp://127.0.0.1:1/"


class Owner:
    """Answers what it was told, and can be away."""

    def __init__(self) -> None:
        self.found: list[Revocation] = []
        self.away = False

    def recent(self, since: datetime) -> tuple[list[Revocation], datetime]:
        if self.away:
            raise grpc.RpcError
        return [each for each in self.found if each.revoke_time >= since], clock.now()


Start = Callable[..., Revocations]


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def start(owner: Owner) -> Iterator[Start]:
    started: list[Revocations] = []

    def begin(url: str, *, poll_s: float = 0.1, grace_s: float = 60) -> Revocations:
        started.append(Revocations(url, owner.recent, poll_s=poll_s, grace_s=grace_s))
        started[-1].start()
        return started[-1]

    yield begin
    for each in started:
        each.stop()


def revocation(*, session_id: str = "", rights_only: bool = False) -> Revocation:
    return Revocation(uuid4(), session_id, clock.now(), rights_only)


def publish(url: str, body: bytes) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().basic_publish(EXCHANGE, ROUTING_KEY, body)


def encoded(found: Revocation) -> bytes:
    data = events_pb2.SessionRevoked(person_id=str(found.person_id), session_id=found.session_id)
    data.rights_only = found.rights_only
    data.revoke_time.FromDatetime(found.revoke_time)
    told = Envelope(
        id=uuid4(),
        source="identity",
        type=ROUTING_KEY,
        subject=str(found.person_id),
        time=found.revoke_time,
        version=0,
        data=envelope.to_data(data),
    )
    return told.encode()


def earlier(found: Revocation) -> datetime:
    return found.revoke_time - timedelta(milliseconds=1)


def test_a_revocation_is_heard_from_the_broker(start: Start, fresh_vhost: str) -> None:
    following, told = start(fresh_vhost, poll_s=60), revocation()
    heard: list[Revocation] = []
    following.listen(heard.append)
    eventually(following.known)
    publish(fresh_vhost, encoded(told))
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told)))
    assert not following.revoked(told.person_id, "s", told.revoke_time)
    assert not following.revoked(uuid4(), "s", earlier(told))
    assert heard == [told]


def test_what_cannot_be_read_is_passed_over(start: Start, fresh_vhost: str) -> None:
    following, told = start(fresh_vhost, poll_s=60), revocation()
    eventually(following.known)
    for body in (b"nonsense", b"[]", b'{"data": {}}', encoded(told)):
        publish(fresh_vhost, body)
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told)))


def test_a_revoked_session_leaves_the_persons_other_sessions_alone(start: Start, owner: Owner) -> None:
    following, told = start(NOWHERE), revocation(session_id="gone")
    owner.found.append(told)
    eventually(lambda: following.revoked(told.person_id, "gone", clock.now()))
    assert not following.revoked(told.person_id, "other", earlier(told))


def test_changed_rights_void_passports_and_no_tokens(start: Start, owner: Owner) -> None:
    following, told = start(NOWHERE), revocation(rights_only=True)
    owner.found.append(told)
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told), rights_too=True))
    assert not following.revoked(told.person_id, "s", earlier(told))


def test_while_the_broker_is_away_the_owner_is_asked(start: Start, owner: Owner) -> None:
    following = start(NOWHERE)
    eventually(following.known)
    told = revocation()
    owner.found.append(told)
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told)))


def test_what_was_missed_while_disconnected_is_asked_for(
    start: Start, owner: Owner, fresh_vhost: str, environment: Environment
) -> None:
    following = start(fresh_vhost, poll_s=60)
    eventually(following.known)
    told = revocation()
    owner.found.append(told)
    _cut(environment, fresh_vhost)
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told)))


def _cut(environment: Environment, url: str) -> None:
    """Close every connection to the virtual host."""
    name = url.rsplit("/", 1)[-1]

    def cut() -> bool:
        found = call(environment, "GET", f"vhosts/{name}/connections")
        for each in found:
            call(environment, "DELETE", f"connections/{quote(each['name'])}", missing_ok=True)
        return bool(found)

    eventually(cut, 20)


def test_a_live_feed_suffices_while_the_owner_is_away(start: Start, owner: Owner, fresh_vhost: str) -> None:
    following = start(fresh_vhost, grace_s=1.5)
    eventually(following.known)
    owner.away = True
    told = revocation()
    publish(fresh_vhost, encoded(told))
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told)))
    assert following.known()


def test_nothing_is_known_once_both_are_gone_for_the_grace(start: Start, owner: Owner) -> None:
    following = start(NOWHERE, grace_s=0.3)
    eventually(following.known)
    owner.away = True
    eventually(lambda: not following.known())
    with pytest.raises(DomainError, match="REVOCATIONS_UNKNOWN"):
        following.check(caller(uuid4()))


def test_nothing_is_known_before_the_owner_was_asked(start: Start, owner: Owner, fresh_vhost: str) -> None:
    owner.away = True
    following = start(fresh_vhost)
    assert not following.known()
    owner.away = False
    eventually(following.known)


def test_a_revoked_caller_is_refused(start: Start, owner: Owner) -> None:
    following, told = start(NOWHERE), revocation(rights_only=True)
    owner.found.append(told)
    eventually(lambda: following.revoked(told.person_id, "s", earlier(told), rights_too=True))
    with pytest.raises(DomainError, match="SESSION_REVOKED"):
        following.check(caller(told.person_id, issued_at=earlier(told)))
    following.check(caller(told.person_id))


def caller(person_id: UUID, issued_at: datetime | None = None) -> Caller:
    now = clock.now()
    return Caller(
        person_id=person_id,
        session_id="s",
        grants=(),
        issued_at=issued_at or now,
        expires_at=now + timedelta(minutes=10),
    )
