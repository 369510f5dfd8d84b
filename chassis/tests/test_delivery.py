"""From an outbox row to a handler's effect, through real processes that work."""

import time
from functools import partial
from typing import Any
from uuid import UUID

from chassis import envelope, outbox
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.ids import new_id
from chassis.testing import eventually
from probe import notes
from probe.testing import Probe
from tongxiao.customers.events.v1.events_pb2 import CustomerChanged
from tongxiao.identity.events.v1.events_pb2 import OrgChanged, OrgUnit

NOTES = "probe.probe.note.written.v1"


def send(probe: Probe, event: Envelope) -> None:
    """Deliver an event as its owner's relay would."""
    with probe.channel() as channel:
        channel.basic_publish(f"{event.source}.events", event.type, event.encode())


def tree(version: int) -> Envelope:
    """What a version of the tree brings: one unit."""
    data = OrgChanged(tree_version=version, units=[OrgUnit(id=str(UUID(int=version)), name="x")])
    return outbox.state("identity", "org.changed.v1", data, subject="tree", version=version)


def test_an_event_reaches_its_handler_once(alive: Probe) -> None:
    event = alive.write("hello")
    eventually(lambda: alive.handled(event) == 1)
    row = "SELECT count(*) FROM outbox WHERE event_id = :id AND published_at IS NOT NULL"
    assert eventually(lambda: alive.value(row, id=event.id) == 1)
    assert alive.value("SELECT consumer FROM inbox WHERE event_id = :id", id=event.id) == NOTES


def test_a_duplicate_takes_no_effect(alive: Probe) -> None:
    event = alive.write("hello")
    eventually(lambda: alive.handled(event) == 1)
    send(alive, event)
    later = alive.write("later")
    eventually(lambda: alive.handled(later) == 1 and alive.depth(NOTES) == 0)
    assert alive.handled(event) == 1


def test_two_copies_at_the_same_time_take_effect_once(alive: Probe) -> None:
    note = alive.write("kept", kind=notes.WHISPERED)
    event = outbox.fact("probe", notes.WRITTEN, OrgChanged(), subject=note.subject)
    slow = Envelope(**{**vars(event), "data": {"text": "query 0.5"}})
    for _ in range(3):
        send(alive, slow)
    eventually(lambda: alive.handled(slow) == 1)
    later = alive.write("later")
    eventually(lambda: alive.handled(later) == 1)
    assert alive.handled(slow) == 1


def test_of_two_states_the_newer_stays(alive: Probe) -> None:
    customer = new_id()
    for version, name in ((2, "新名"), (1, "旧名")):
        data = CustomerChanged(id=str(customer), name=name)
        send(alive, outbox.state("customers", "customer.changed.v1", data, subject=customer, version=version))
    eventually(lambda: alive.value("SELECT count(*) FROM inbox WHERE consumer LIKE '%customer.changed.v1'") == 2)
    assert alive.value("SELECT name FROM probe_customers WHERE id = :id", id=customer) == "新名"


def test_a_version_of_the_tree_waits_for_the_one_before(alive: Probe) -> None:
    for version in (2, 1):
        send(alive, tree(version))
    eventually(lambda: alive.value("SELECT tree_version FROM org_state") == 2)
    assert alive.value("SELECT count(*) FROM org_units") == 2


def test_versions_of_the_tree_in_any_order_are_taken_over_by_one_delivery_each(probe: Probe) -> None:
    late, early = tree(1), [tree(version) for version in range(30, 1, -1)]
    with probe.run("work", TONGXIAO_RETRY_DELAYS_S="[]"):
        for event in early:
            send(probe, event)
        eventually(lambda: probe.value("SELECT count(*) FROM inbox") == len(early))
        send(probe, late)
        eventually(lambda: probe.value("SELECT tree_version FROM org_state") == 30)
    assert probe.value("SELECT count(*) FROM org_units") == 30
    assert probe.value("SELECT count(*) FROM org_early") == 0
    assert probe.depth("probe.parked") == 0


def test_what_no_queue_wants_is_marked_and_blocks_nobody(alive: Probe) -> None:
    whispered = [alive.write("psst", kind=notes.WHISPERED) for _ in range(3)]
    event = alive.write("hello")
    eventually(lambda: alive.handled(event) == 1)
    marked = "SELECT count(*) FROM outbox WHERE event_id = :id AND unroutable_at IS NOT NULL AND published_at IS NULL"
    for event in whispered:
        assert eventually(partial(alive.value, marked, id=event.id)) == 1


def test_an_event_without_a_queue_goes_out_when_there_is_one(alive: Probe) -> None:
    whispered = alive.write("psst", kind=notes.WHISPERED)
    sent = "SELECT count(*) FROM outbox WHERE event_id = :id AND published_at IS NOT NULL"
    eventually(lambda: alive.value("SELECT unroutable_at FROM outbox WHERE event_id = :id", id=whispered.id))
    with alive.channel() as channel:
        channel.queue_declare("listener", exclusive=True)
        channel.queue_bind("listener", "probe.events", notes.WHISPERED)
        eventually(lambda: alive.value(sent, id=whispered.id) == 1)


def test_bulk_work_delays_nobody(alive: Probe) -> None:
    with transaction(alive.database.engine("api")) as session:
        bulk = [notes.write(session, "sleep 0.1", lane=outbox.BULK) for _ in range(150)]
    eventually(lambda: alive.handled(bulk[0]) == 1)
    started = time.monotonic()
    event = alive.write("hello")
    eventually(lambda: alive.handled(event) == 1)
    assert time.monotonic() - started < 0.5
    assert alive.handled(bulk[-1]) == 0
    eventually(lambda: alive.handled(bulk[-1]) == 1)


def test_what_travels_is_the_envelope_under_the_events_id(alive: Probe) -> None:
    with alive.channel() as channel:
        channel.queue_declare("watcher", exclusive=True)
        channel.queue_bind("watcher", "probe.events", f"{notes.WRITTEN}.#")
        events = {alive.write("hello").id: "", alive.write("bulk", lane=outbox.BULK).id: ".bulk"}
        seen = [eventually(partial(got, channel, "watcher")) for _ in events]
    for method, properties, body in seen:
        assert envelope.decode(body).id == UUID(properties.message_id)
        assert method.routing_key == notes.WRITTEN + events[UUID(properties.message_id)]
        assert (properties.content_type, properties.delivery_mode) == ("application/cloudevents+json", 2)


def got(channel: Any, queue: str) -> Any:
    """The next message of a queue, or nothing yet."""
    message = channel.basic_get(queue, auto_ack=True)
    return message if message[0] else None
