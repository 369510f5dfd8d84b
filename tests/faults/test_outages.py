"""A broker or a database that goes away and comes back: no event is lost, parked or applied twice."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.testing import Process, eventually
from probe import notes
from probe.testing import Probe
from tests.e2e.forwarder import Forwarder

from .servers import Servers

OUTAGE_S = float(os.environ.get("FAULTS_OUTAGE_S", "20"))
NOTES = "probe.probe.note.written.v1"


def write_many(probe: Probe, number: int, says: str = "hello") -> list[Envelope]:
    with transaction(probe.database.engine("api")) as session:
        return [notes.write(session, says) for _ in range(number)]


def all_handled_once(probe: Probe, number: int) -> bool:
    once = probe.value("SELECT count(*) FROM probe_notes WHERE handled = 1")
    assert probe.value("SELECT count(*) FROM probe_notes WHERE handled > 1") == 0
    return bool(once == number)


def health(process: Process) -> int:
    try:
        with urlopen(process.health_url, timeout=5) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_a_killed_broker_loses_nothing(probe: Probe, servers: Servers) -> None:
    with probe.run("work"), probe.run("relay"):
        write_many(probe, 1)
        eventually(lambda: all_handled_once(probe, 1))
        # RabbitMQ saves which queues it keeps every half second: one younger than that has no leader after a kill.
        time.sleep(2)
        write_many(probe, 300, "sleep 0.02")
        eventually(lambda: probe.value("SELECT count(*) FROM inbox") > 20)
        servers.broker.end(signal.SIGKILL)
        write_many(probe, 300)
        servers.broker.start()
        eventually(lambda: all_handled_once(probe, 601), 40)
        eventually(lambda: probe.depth(NOTES) == 0)
    assert probe.depth("probe.parked") == 0


def test_a_frozen_broker_is_noticed_and_left(probe: Probe, servers: Servers) -> None:
    with probe.run("work") as worker, probe.run("relay") as relay:
        write_many(probe, 10)
        eventually(lambda: all_handled_once(probe, 10))
        servers.broker.freeze()
        write_many(probe, 10)
        try:
            eventually(lambda: health(worker) == 503 and health(relay) == 503, 60)
        finally:
            servers.broker.thaw()
        eventually(lambda: all_handled_once(probe, 20), 40)
        eventually(lambda: health(worker) == 200 and health(relay) == 200, 20)
    assert probe.depth("probe.parked") == 0


def test_a_connection_that_falls_silent_holds_no_failing_event(probe: Probe) -> None:
    broker = urlsplit(probe.broker_url)
    with Forwarder(str(broker.hostname), int(broker.port or 0)) as way, probe.run("relay"):
        behind = replace(probe, broker_url=probe.broker_url.replace(f":{broker.port}", f":{way.port}"))
        with behind.run("work", TONGXIAO_RETRY_DELAYS_S="[0.1]"):
            write_many(probe, 1, "fail")
            eventually(lambda: probe.depth("probe.parked") == 1)
            way.silence()
            write_many(probe, 20, "fail")
            # Once each or, where a confirmation was lost on the way, twice.
            eventually(lambda: probe.depth("probe.parked") >= 21 and probe.depth(NOTES) == 0, 60)


@pytest.mark.timeout(OUTAGE_S + 300)
def test_a_database_that_comes_back_finds_nothing_parked(
    probe: Probe, servers: Servers, tally: Callable[..., None]
) -> None:
    with probe.run("work") as worker, probe.run("relay") as relay:
        write_many(probe, 200, "sleep 0.05")
        eventually(lambda: probe.value("SELECT count(*) FROM inbox") > 20)
        servers.postgres.end(signal.SIGINT)
        eventually(lambda: health(worker) == 503 and health(relay) == 503, 20)
        # Longer than all retries of an event together would take, were the outage counted as its failure.
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > OUTAGE_S and relay.log.count("relay interrupted") >= 4, 300)
        away = time.monotonic() - began
        servers.postgres.start()
        probe.database.dispose()
        eventually(lambda: all_handled_once(probe, 200), 40)
        eventually(lambda: health(worker) == 200 and health(relay) == 200, 20)
        assert "event failed" not in worker.log
        assert "worker pauses" in worker.log
    tally("outages", "seconds without PostgreSQL", asked=int(OUTAGE_S), counted=int(away))
    tally("outages", "events parked", asked=0, counted=probe.depth("probe.parked"))
    assert probe.depth("probe.parked") == 0
