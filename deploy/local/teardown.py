"""Stops an instance and makes sure that nothing of it stays behind."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path

from deploy.local.instance import Instance
from deploy.local.programs import MARK
from deploy.local.progress import SetupError, step
from deploy.local.supervision import Supervisor

# Later tiers first; what is in none of them (services, gateway, viewer) goes before all.
SERVERS_LAST = (("keycloak", "rabbitmq"), ("postgres", "epmd"))
GRACE_SECONDS = 15


def down(instance: Instance, *, quiet: bool = False) -> None:
    with instance.exclusive(), nullcontext() if quiet else step(f"stopping `{instance.profile.name}`"):
        supervisor = Supervisor(instance)
        if supervisor.is_running():
            _stop_tiers(supervisor)
            supervisor.shut_down()
        sweep(instance)


def reset(instance: Instance) -> None:
    """Stop it and delete its data and secrets. Downloads stay."""
    down(instance)
    shutil.rmtree(instance.home)


def sweep(instance: Instance) -> None:
    """End every process that bears the instance's mark: each was started with it."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE_SECONDS
        for pid in leftovers(instance):
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        while leftovers(instance) and time.monotonic() < deadline:
            time.sleep(0.1)
    if remaining := leftovers(instance):
        raise SetupError(f"Processes {remaining} of {instance.home} do not end. Look at them with `ps -fp`.")


def leftovers(instance: Instance) -> list[int]:
    mark = f"{MARK}={instance.home}".encode()
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in found if pid != os.getpid() and _bears(pid, mark)]


def _bears(pid: int, mark: bytes) -> bool:
    with suppress(OSError):
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _stop_tiers(supervisor: Supervisor) -> None:
    names = {info["name"] for info in supervisor.all_info()}
    last = {name for tier in SERVERS_LAST for name in tier}
    for tier in (names - last, *(names & set(tier) for tier in SERVERS_LAST)):
        _together(supervisor.stop, tier)


def _together(action: Callable[[str], None], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(action, names))
