"""Runs the checks while the test parts start, then pytest against them, and leaves things as they were."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from subprocess import PIPE, STDOUT

from deploy.local import boot, teardown
from deploy.local.instance import Instance
from deploy.local.paths import PYTHON, ROOT
from deploy.local.progress import say, step
from deploy.local.supervision import Supervisor

CHECK = ("make", "--no-print-directory", "check")


def test(instance: Instance, arguments: Sequence[str]) -> int:
    """pytest's exit status, or that of the checks when they fail."""
    with parts(instance) as checked:
        return checked or pytest(instance, arguments)


@contextmanager
def parts(instance: Instance) -> Iterator[int]:
    """The test parts, and the exit status of the checks. Parts that ran before go on running."""
    keep = os.environ.get("KEEP") == "1" or Supervisor(instance).is_running()
    checks = subprocess.Popen(CHECK, cwd=ROOT, text=True, stdout=PIPE, stderr=STDOUT)
    try:
        boot.up(instance)
        yield _report(checks)
    finally:
        checks.kill()
        if not keep:
            teardown.down(instance, quiet=True)


def pytest(instance: Instance, arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
    """Run pytest against the parts; its exit status."""
    told = {**os.environ, **(variables or {}), "TONGXIAO_TEST_ENV": str(instance.environment_file)}
    return subprocess.run([str(PYTHON), "-m", "pytest", *arguments], cwd=ROOT, env=told, check=False).returncode


def _report(checks: subprocess.Popen[str]) -> int:
    with step("checks"):
        printed, _ = checks.communicate()
    if checks.returncode:
        say(printed)
    return checks.returncode
