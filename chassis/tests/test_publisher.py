"""Publishing in batches: what the broker took, what no queue wanted, and a connection that ends."""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest
from pika.spec import BasicProperties

from chassis.ids import new_id
from chassis.publisher import BrokerLostError, Outgoing, Publisher
from chassis.testing import Environment, eventually
from chassis.testing.broker import call
from probe.testing import Probe


@pytest.fixture
def publisher(probe: Probe) -> Iterator[Publisher]:
    with closing(Publisher(probe.broker_url, exchange="probe.events", name="test")) as publisher:
        publisher.open()
        yield publisher


def outgoing(key: str) -> Outgoing:
    event_id = new_id()
    return Outgoing(event_id, key, b"{}", BasicProperties(message_id=str(event_id), delivery_mode=2))


def ids(*messages: Outgoing) -> frozenset[UUID]:
    return frozenset(message.event_id for message in messages)


def test_each_message_of_a_batch_is_accounted_for(probe: Probe, publisher: Publisher) -> None:
    with probe.channel() as channel:
        channel.queue_declare("wanted", exclusive=True)
        channel.queue_bind("wanted", "probe.events", "wanted")
        wanted, stray = [outgoing("wanted") for _ in range(300)], [outgoing("stray") for _ in range(3)]
        outcome = publisher.publish([*wanted[:150], *stray, *wanted[150:]])
    assert outcome.confirmed == ids(*wanted)
    assert outcome.unroutable == ids(*stray)


def test_a_connection_that_ended_is_said_to_be_lost(
    probe: Probe, publisher: Publisher, environment: Environment
) -> None:
    def close_all() -> bool:
        """The broker lists a connection only some seconds after it was made."""
        ours = [c for c in call(environment, "GET", "connections") if probe.broker_url.endswith(f"/{c['vhost']}")]
        for connection in ours:
            call(environment, "DELETE", f"connections/{connection['name'].replace(' ', '%20').replace('>', '%3E')}")
        return bool(ours)

    eventually(close_all, 15)
    with pytest.raises(BrokerLostError):
        eventually(publisher.check)
    with pytest.raises(BrokerLostError):
        publisher.publish([outgoing("x")])


def test_a_broker_that_is_not_there_is_said_to_be_lost(probe: Probe) -> None:
    with closing(Publisher("amqp://nobody:x@127.0.0.1:1/x", exchange="probe.events", name="test")) as publisher:
        with pytest.raises(BrokerLostError):
            publisher.open()
