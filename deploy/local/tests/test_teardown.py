"""Nothing that bears an instance's mark outlives it; nothing else is touched."""

import subprocess

from deploy.local import teardown
from deploy.local.instance import Instance
from deploy.local.programs import MARK


def sleeper(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], env={MARK: mark, "PATH": "/usr/bin:/bin"})


def test_marked_processes_are_ended(instance: Instance) -> None:
    process = sleeper(str(instance.home))
    try:
        pids = teardown.leftovers(instance)
    finally:
        process.kill()
        process.wait()

    assert pids == [process.pid]


def test_processes_of_another_instance_are_left_alone(instance: Instance) -> None:
    with sleeper(f"{instance.home}-other") as process:
        teardown.sweep(instance)
        alive = process.poll() is None
        process.kill()

    assert alive
