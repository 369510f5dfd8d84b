"""What a worker process must be and must not load."""

import subprocess
import sys

import pytest

PATCHED = "from chassis.green import patch; patch(); from chassis.green import assert_patched; "


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)


def test_a_patched_process_waits_cooperatively() -> None:
    assert python(PATCHED + "assert_patched()").returncode == 0


def test_a_process_that_would_block_its_hub_refuses_to_work() -> None:
    refused = python("from chassis.green import assert_patched; assert_patched()")
    assert "eventlet did not patch this process" in refused.stderr


def test_a_process_whose_psycopg_waits_in_c_refuses_to_work() -> None:
    refused = python("import psycopg; " + PATCHED + "assert_patched()")
    assert "which blocks eventlet's hub" in refused.stderr


@pytest.mark.parametrize("module", ["probe.worker", "chassis.messaging.runner", "chassis.organisation"])
def test_a_worker_loads_no_grpc(module: str) -> None:
    """A gRPC client blocks the hub."""
    code = f"import sys, {module}; assert not [name for name in sys.modules if name.split('.')[0] == 'grpc']"
    result = python(PATCHED + code)
    assert result.returncode == 0, result.stderr


def test_an_api_loads_no_eventlet() -> None:
    result = python("import sys, chassis.process, chassis.relay, chassis.parked; assert 'eventlet' not in sys.modules")
    assert result.returncode == 0, result.stderr
