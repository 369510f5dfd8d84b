"""Real processes for tests: started as production starts them, waited for, and ended with their children."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from chassis.testing.databases import ServiceDatabase
from chassis.testing.polling import eventually

ROLES = {"serve": "api", "jobs": "jobs", "work": "worker", "relay": "relay", "migrate": "owner"}
LOG_LINES = 60
# What services of tests keep personal values with.
PERSONAL_KEY = "master key of the contacts in tests"


@dataclass
class Process:
    """A process of a service under test."""

    popen: "subprocess.Popen[bytes]"
    health_port: int
    log_file: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self.health_port}/health"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send this process a signal; after SIGKILL, wait for its end."""
        self.popen.send_signal(number)
        if number == signal.SIGKILL:
            self.popen.wait(10)

    def healthy(self) -> bool:
        """Whether the health page says 200; fails where the process has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"the process ended with {self.popen.returncode}")
        try:
            with urlopen(self.health_url, timeout=2) as response:  # noqa: S310 — an address of ours
                return bool(response.status == 200)
        except HTTPError as error:
            error.close()
            return False
        except OSError:
            return False


def process_environment(kind: str, database: ServiceDatabase, broker_url: str = "", **more: str) -> dict[str, str]:
    """The variables a kind of process needs, with the database role that is its own."""
    return {
        "TONGXIAO_ENVIRONMENT": "test",
        "TONGXIAO_DATABASE_URL": database.url(ROLES.get(kind, "worker")),
        "TONGXIAO_BROKER_URL": broker_url,
        "TONGXIAO_PERSONAL_KEY": PERSONAL_KEY,
        **more,
    }


@contextmanager
def running(service: str, kind: str, env: Mapping[str, str], *, ready_within: float = 30) -> Iterator[Process]:
    """A process `python -m <service> <kind>` that is healthy; its log is added to whatever fails inside.

    At the end it is asked to stop, and killed with its children after 35 seconds.
    """
    with tempfile.TemporaryDirectory() as folder, started((service, kind), env, Path(folder, "log")) as process:
        try:
            eventually(process.healthy, ready_within)
            yield process
        except BaseException as error:
            error.add_note(f"--- {service} {kind} ---\n" + "\n".join(process.log.splitlines()[-LOG_LINES:]))
            raise


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(arguments: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[Process]:
    """A process `python -m <arguments>`, not waited for; its log is added to a file. Ended as `running` ends it."""
    port = free_port()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    variables = {**inherited, "TONGXIAO_HEALTH_LISTEN": f"127.0.0.1:{port}", "PYTHONUNBUFFERED": "1", **env}
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 — our own interpreter, our own arguments
            [sys.executable, "-m", *arguments],
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield Process(popen, port, log)
    finally:
        _end(popen)


def _end(popen: "subprocess.Popen[bytes]") -> None:
    """Ask the process to stop and see to it that nothing of its session stays."""
    popen.send_signal(signal.SIGCONT)
    popen.terminate()
    with suppress(subprocess.TimeoutExpired):
        popen.wait(35)
    with suppress(ProcessLookupError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait(10)
