"""Sealing, anchoring and verifying by the very processes that do it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from chassis.testing import eventually, process_environment, running
from chassis.testing.processes import free_port
from probe.testing import Probe
from probe.trails import Trail

TOKEN = "between processes"
ANCHORED = "SELECT max(seq) FROM audit_anchors WHERE service = 'probe'"
QUICK = {"TONGXIAO_SEAL_EVERY_S": "0.1", "TONGXIAO_ANCHOR_EVERY_S": "0.2"}


@pytest.fixture
def target(probe: Probe) -> Iterator[str]:
    """Where the probe, its own witness, serves."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    env = process_environment("serve", probe.database, probe.broker_url)
    env |= {"TONGXIAO_LISTEN": address, "TONGXIAO_SERVICE_TOKEN": TOKEN, "TONGXIAO_IDENTITY_TARGET": "127.0.0.1:9"}
    with running("probe", "serve", env):
        yield address


def verify(probe: Probe, target: str, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of `verify-audit`, and the lines it prints that are no log's."""
    more = {"TONGXIAO_PROBE_TARGET": target, "TONGXIAO_SERVICE_TOKEN": TOKEN}
    ended = subprocess.run(
        [sys.executable, "-m", "probe", "verify-audit", *arguments],
        env=process_environment("verify-audit", probe.database, **more),
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, [line for line in ended.stdout.splitlines() if line.startswith("probe: ")]


def test_a_trail_is_sealed_anchored_and_verified(probe: Probe, trail: Trail, target: str) -> None:
    with probe.run("work"), probe.run("relay", **QUICK):
        ids = trail.write(5)
        eventually(lambda: probe.value("SELECT count(*) FROM audit_unsealed") == 0)
        eventually(lambda: probe.value("SELECT max(seq) FROM audit_seals") == probe.value(ANCHORED))
    assert verify(probe, target) == (0, [])
    trail.tamper("DELETE FROM audit WHERE id = %s", ids[0])
    code, (line,) = verify(probe, target)
    assert code == 1
    assert line.startswith(f"probe: ROW_REMOVED: row {ids[0]}")
    trail.tamper("TRUNCATE audit, audit_seals, audit_unsealed")
    code, (line,) = verify(probe, target)
    assert (code, line.split(":")[1]) == (1, " TAIL_CUT")
    assert verify(probe, target, "--without-anchors") == (0, [])


def test_a_witness_that_is_away_does_not_pass_for_agreement(probe: Probe, trail: Trail) -> None:
    trail.write_sealed(1)
    code, (line,) = verify(probe, f"127.0.0.1:{free_port()}")
    assert (code, line) == (1, "probe: ANCHORS_MISSING: probe answers UNAVAILABLE")


def test_sealing_goes_on_while_the_broker_is_away(probe: Probe, trail: Trail) -> None:
    probe.broker_url = "amqp://guest:guest@127.0.0.1:9/"
    with probe.run("relay", **QUICK):
        for number in (1, 2):
            trail.write()
            eventually(lambda number=number: len(trail.heads()) == number)  # type: ignore[misc]
