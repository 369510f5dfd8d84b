"""Workers and relays that end, come back, take over: with processes of each test's own."""

import json
import signal
import time
from contextlib import suppress
from functools import partial
from urllib.request import urlopen
from uuid import UUID

import pytest

from chassis import parked
from chassis.service import declared
from chassis.settings import ProcessSettings, load
from chassis.testing import Process, eventually
from probe import notes
from probe.testing import Probe

NOTES, PARKED = "probe.probe.note.written.v1", "probe.parked"
SLEEPING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'
"""


def test_parked_events_are_listed_and_sent_back(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TONGXIAO_BROKER_URL", probe.broker_url)
    monkeypatch.setenv("TONGXIAO_DATABASE_URL", probe.database.url("worker"))
    service, settings = declared("probe"), load(ProcessSettings)
    with probe.run("work", TONGXIAO_RETRY_DELAYS_S="[]"), probe.run("relay"):
        events = [probe.write("fail once"), probe.write("refuse NOT_FOUND")]
        eventually(lambda: probe.depth(PARKED) == 2)
        assert parked.run(service, settings, ["list"]) == 0
        listed = {line["id"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
        assert listed[str(events[0].id)]["reason"] == "ValueError: once"
        assert listed[str(events[0].id)]["type"] == notes.WRITTEN
        assert parked.replay(probe.broker_url, "probe", ids=[str(events[0].id)]) == 1
        again = eventually(lambda: [e for e in parked.find(probe.broker_url, "probe") if parked.REPLAYED in e.headers])
        assert again[0].event_id == str(events[0].id)
        assert again[0].headers["x-attempt"] == 1


def test_an_event_that_kills_its_workers_is_parked(probe: Probe) -> None:
    event = probe.write("crash")
    limits = {"TONGXIAO_DELIVERY_LIMIT": "2"}
    with probe.run("relay"):
        for _ in range(3):
            with suppress(RuntimeError), probe.run("work", **limits) as worker:
                eventually(partial(ended, worker))
        with probe.run("work", **limits):
            found = eventually(lambda: probe.take(PARKED))
    assert UUID(found.properties.message_id) == event.id
    assert found.headers["x-first-death-reason"] == "delivery_limit"
    assert probe.handled(event) == 0


def test_a_worker_told_to_stop_finishes_and_acknowledges(probe: Probe) -> None:
    with probe.run("relay"), probe.run("work") as worker:
        event = probe.write("query 2")
        eventually(lambda: sleeping(probe) == 1)
        worker.kill(signal.SIGTERM)
        assert worker.popen.wait(10) == 0
    assert probe.handled(event) == 1
    assert probe.depth(NOTES) == 0


def test_queries_do_not_block_the_hub(probe: Probe) -> None:
    with probe.run("relay"), probe.run("work") as worker:
        events = [probe.write("query 2") for _ in range(5)]
        eventually(lambda: sleeping(probe) == 5)
        started = time.monotonic()
        with urlopen(worker.health_url.replace("/health", "/live"), timeout=2):
            assert time.monotonic() - started < 0.5
        eventually(lambda: all(probe.handled(event) for event in events))
        assert time.monotonic() - started < 4


def test_a_worker_whose_hub_is_blocked_ends_itself(probe: Probe) -> None:
    with probe.run("relay"), probe.run("work", TONGXIAO_WATCHDOG_S="1.5") as worker:
        probe.write("hang")
        assert eventually(worker.popen.poll) == 70
        assert "the hub was blocked" in worker.log


def test_a_worker_that_gets_nothing_done_ends_itself(probe: Probe) -> None:
    with probe.run("relay"), probe.run("work", TONGXIAO_WATCHDOG_S="1.5", TONGXIAO_MAX_WORKERS="1") as worker:
        for _ in range(3):
            probe.write("sleep 60")
        assert eventually(worker.popen.poll) == 70
        assert "nothing was handled" in worker.log


def test_a_standby_relay_takes_over(probe: Probe) -> None:
    with probe.run("work"), probe.run("relay") as leader, probe.run("relay") as standby:
        eventually(lambda: [role(leader), role(standby)] == ["leading", "standby"])
        leader.kill()
        event = probe.write("hello")
        eventually(lambda: probe.handled(event) == 1)
        assert role(standby) == "leading"


def test_one_worker_ticks_and_another_takes_over(probe: Probe) -> None:
    note = probe.write("tick", kind=notes.WHISPERED)
    with probe.run("work") as first:
        eventually(lambda: probe.handled(note) > 0)
        with probe.run("work"):
            before, started = probe.handled(note), time.monotonic()
            eventually(lambda: probe.handled(note) >= before + 5)
            assert probe.handled(note) - before <= (time.monotonic() - started) / 0.2 + 2
            first.kill()
            before = probe.handled(note)
            eventually(lambda: probe.handled(note) > before + 1)


def ended(process: Process) -> bool:
    return process.popen.poll() is not None


def sleeping(probe: Probe) -> int:
    """How many handlers are in a long query now."""
    with probe.database.admin() as connection:
        found = connection.execute(SLEEPING).fetchone()
        assert found
        return int(found[0])


def role(relay: Process) -> str:
    with urlopen(relay.health_url, timeout=2) as response:
        return str(json.load(response)["checks"]["relay"])
