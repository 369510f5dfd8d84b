"""Servers of a test's own, to stop, freeze and kill: made as the launcher makes them, on ports nobody else uses."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from chassis.testing import Environment, eventually
from deploy.local import instance as instances
from deploy.local.instance import Instance
from deploy.local.parts import postgres, rabbitmq
from deploy.local.profiles import Profile
from deploy.local.programs import Program

SPAN = 100


@dataclass
class Server:
    """One server's processes: they share a session, so that a signal reaches all of them."""

    programs: Sequence[Program]
    log: Any
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        """Start what is not running, each when the one before is well."""
        self.started = [popen for popen in self.started if popen.poll() is None]
        for program in self.programs[len(self.started) :]:
            self.started.append(
                subprocess.Popen(
                    program.command,
                    cwd=program.directory,
                    env={"PATH": os.environ["PATH"], **program.environment},
                    stdout=self.log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
            eventually(program.healthy or (lambda: True), program.patience, every=0.2)

    def send(self, number: signal.Signals) -> None:
        """Signal the main program, the last one, and all its children."""
        os.killpg(self.started[-1].pid, number)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the main program; those it needs stay."""
        self.send(number)
        self.started.pop().wait(60)

    def close(self) -> None:
        for popen in reversed(self.started):
            for number in (signal.SIGCONT, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(popen.pid, number)
            popen.wait(30)


@dataclass(frozen=True)
class Servers:
    """A PostgreSQL and a RabbitMQ, and where they are."""

    environment: Environment
    postgres: Server
    broker: Server

    def start(self) -> None:
        """Have both run, well again."""
        for server in (self.postgres, self.broker):
            server.start()


@contextmanager
def private(name: str) -> Iterator[Servers]:
    """Both servers, for as long as the context lasts; nothing of them stays."""
    instance = instances.find(Profile(name, _free_base(), whole=False))
    own = Instance(profile=instance.profile, home=instance.home, outside={}, credentials=instance.credentials)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, own.home, ignore_errors=True)
        log = stack.enter_context(own.log("servers").open("wb"))
        servers = [Server(part.programs(own), log) for part in (postgres, rabbitmq)]
        for server in servers:
            stack.callback(server.close)
            server.start()
        _keep_what_is_committed(postgres.addresses(own)[postgres.VARIABLE])
        addresses = {**postgres.addresses(own), **rabbitmq.addresses(own)}
        yield Servers(Environment(addresses), *servers)


def _keep_what_is_committed(url: str) -> None:
    """Other tests' servers may lose the last moment when they are killed; here nothing answered for may be lost."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_commit = on")
        connection.execute("SELECT pg_reload_conf()")


def _free_base() -> int:
    return next(base for base in range(31_000, 60_000, SPAN) if all(map(_free, range(base, base + SPAN))))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
