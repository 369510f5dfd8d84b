"""From an outbox row to a handler's effect, through real processes."""

from chassis.testing import eventually
from chassis.testing.probing import Probe


def test_an_event_reaches_its_handler_once(probe: Probe) -> None:
    with probe.run("work"), probe.run("relay"):
        event = probe.write("hello")
        eventually(lambda: probe.handled(event) == 1)
    assert probe.value("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL") == 1
    assert probe.value("SELECT consumer FROM inbox") == "probe.probe.note.written.v1"
