"""Relays and workers killed at random while 2,000 events pass: none lost, none applied twice."""

import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from chassis.database import transaction
from chassis.testing import eventually
from probe import notes
from probe.testing import Probe

EVENTS, BATCH, KILLS = 2_000, 20, 10


@contextmanager
def writing(probe: Probe) -> Iterator[threading.Thread]:
    """Writes the events in the background, a few a transaction."""

    def write() -> None:
        for _ in range(EVENTS // BATCH):
            with transaction(probe.database.engine("api")) as session:
                for _ in range(BATCH):
                    notes.write(session, "sleep 0.01")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def test_kills_lose_and_double_nothing(probe: Probe) -> None:
    chosen = random.Random(7)
    with ExitStack() as standby:
        for kind in ("relay", "work"):
            standby.enter_context(probe.run(kind))
        with writing(probe):
            for _ in range(KILLS // 2):
                for kind in ("relay", "work"):
                    with probe.run(kind) as victim:
                        pause(victim.popen, chosen.uniform(0.1, 0.6))
                        victim.kill()
        eventually(lambda: probe.value("SELECT count(*) FROM probe_notes WHERE handled >= 1") == EVENTS, 60)
        eventually(lambda: probe.value("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0, 20)
    assert probe.value("SELECT sum(handled) FROM probe_notes") == EVENTS
    assert probe.depth("probe.parked") == 0


def pause(popen: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Let a process run for a while; it is not expected to end by itself."""
    try:
        popen.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError(f"the process ended with {popen.returncode}")
