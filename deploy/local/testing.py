"""Runs the checks while the test parts start, then pytest against them, and leaves things as they were."""

import os
import subprocess
from collections.abc import Sequence
from subprocess import PIPE, STDOUT

from deploy.local import boot, teardown
from deploy.local.instance import Instance
from deploy.local.paths import PYTHON, ROOT
from deploy.local.progress import say, step
from deploy.local.supervision import Supervisor

CHECK = ("make", "--no-print-directory", "check")


def test(instance: Instance, arguments: Sequence[str]) -> int:
    """pytest's exit status, or that of the checks when they fail. Parts that ran before go on running."""
    keep = os.environ.get("KEEP") == "1" or Supervisor(instance).is_running()
    checks = subprocess.Popen(CHECK, cwd=ROOT, text=True, stdout=PIPE, stderr=STDOUT)
    try:
        boot.up(instance)
        return _report(checks) or _pytest(instance, arguments)
    finally:
        checks.kill()
        if not keep:
            teardown.down(instance, quiet=True)


def _report(checks: subprocess.Popen[str]) -> int:
    with step("checks"):
        printed, _ = checks.communicate()
    if checks.returncode:
        say(printed)
    return checks.returncode


def _pytest(instance: Instance, arguments: Sequence[str]) -> int:
    told = {**os.environ, "TONGXIAO_TEST_ENV": str(instance.environment_file)}
    return subprocess.run([str(PYTHON), "-m", "pytest", *arguments], cwd=ROOT, env=told, check=False).returncode
