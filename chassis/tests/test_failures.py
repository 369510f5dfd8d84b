"""What happens to an event that cannot be handled: retried, parked with its reason, sent back; never lost."""

from datetime import datetime
from uuid import UUID

import pytest

from chassis.testing import eventually
from probe import notes
from probe.testing import Probe, Taken

NOTES = "probe.probe.note.written.v1"
PARKED = "probe.parked"


def taken(probe: Probe) -> Taken:
    return eventually(lambda: probe.take(PARKED))


def test_a_failing_event_is_retried_by_the_schedule_then_parked(alive: Probe) -> None:
    event = alive.write("fail no such thing")
    found = taken(alive)
    assert UUID(found.properties.message_id) == event.id
    assert found.body == event.encode()
    assert found.headers["x-attempt"] == 3
    assert found.headers["x-exception"] == "ValueError: no such thing"
    assert found.headers["x-origin-queue"] == NOTES
    assert "in _fail" in found.headers["x-traceback"]
    # 0.1 s and 0.4 s passed between the three attempts.
    assert (datetime.fromisoformat(found.headers["x-failed-at"]) - event.time).total_seconds() >= 0.5
    assert alive.handled(event) == 0


def test_a_refusal_that_time_cannot_cure_is_parked_at_once(alive: Probe) -> None:
    alive.write("refuse NOT_FOUND")
    found = taken(alive)
    assert found.headers["x-attempt"] == 1
    assert found.headers["x-exception"].startswith("DomainError: NOT_FOUND")


def test_a_refusal_that_time_may_cure_is_retried(alive: Probe) -> None:
    alive.write("refuse NOT_YET_KNOWN")
    assert taken(alive).headers["x-attempt"] == 3


@pytest.mark.parametrize("body", [b"\xff\xfe no json", b"{}", b'{"id": "x"}', b"[]"])
def test_what_is_no_envelope_is_parked_at_once(alive: Probe, body: bytes) -> None:
    with alive.channel() as channel:
        channel.basic_publish("probe.events", notes.WRITTEN, body)
    found = taken(alive)
    assert found.body == body
    assert found.headers["x-exception"] == "UndecodableError: no envelope" or "Error" in found.headers["x-exception"]
    assert found.headers["x-attempt"] == 1


def test_a_failed_bulk_event_comes_back_by_the_bulk_queue(alive: Probe) -> None:
    alive.write("fail bulk", lane=1)
    assert taken(alive).headers["x-origin-queue"] == f"{NOTES}.bulk"
