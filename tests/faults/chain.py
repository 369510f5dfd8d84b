"""The chain of a storm: gateway, identity, customers and the probe as processes, started again when they die."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from chassis.testing import Databases, ServiceDatabase, eventually, process_environment
from chassis.testing.broker import virtual_host
from chassis.testing.processes import Process, free_port, started
from gateway.testing import realm as realms
from gateway.testing.fixtures import new_key
from gateway.testing.realm import Realm
from identity import bootstrap
from probe.testing import Probe
from probe.victim import VARIABLE
from tests.e2e import platform
from tests.e2e.forwarder import Forwarder

from .servers import Servers

SERVICES = ("identity", "customers", "probe")
# Relays last: what is sent before a consumer's queue is bound never comes to it.
CONSUMERS = (
    *("identity serve", "identity work", "customers serve", "customers work", "probe work", "customers jobs"),
    "gateway serve",
)
RELAYS = ("identity relay", "customers relay", "probe relay")
# What waits for people in production is tried again soon, and a silent broker is noticed within seconds.
QUICK = {
    "TONGXIAO_HEARTBEAT_S": "2",
    "TONGXIAO_UNROUTABLE_RETRY_S": "0.5",
    # Nothing has a reason to fail: what does all the same is soon parked, and found.
    "TONGXIAO_RETRY_DELAYS_S": "[0.1, 0.4]",
    "TONGXIAO_ANCHOR_EVERY_S": "1",
    "TONGXIAO_JOB_POLL_S": "0.2",
    "TONGXIAO_JOB_RETRY_S": "0.5",
    "TONGXIAO_REVOCATION_POLL_S": "1",
    "TONGXIAO_REQUESTS_PER_MINUTE": "10000000",
}


RESTING_S = 0.1


@dataclass
class Member:
    """A process that is always started again."""

    name: str
    env: dict[str, str]
    log: Path
    process: Process | None = None
    exits: list[int] = field(default_factory=list)
    fault: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._keep, name=self.name)
        self.thread.start()

    def ready(self) -> bool:
        try:
            return self.process is not None and self.process.healthy()
        except RuntimeError:
            return False

    def send(self, number: signal.Signals) -> None:
        if self.process and self.process.popen.poll() is None:
            self.process.popen.send_signal(number)

    def stop(self) -> None:
        """End it for good, at once: how processes end when asked to is told elsewhere."""
        self.stopping.set()
        self.send(signal.SIGKILL)

    def arm(self, fault: str) -> None:
        """Have it die at a point, once, from its next start on, which is now."""
        self.fault, known = fault, len(self.exits)
        self.send(signal.SIGKILL)
        eventually(lambda: len(self.exits) > known and not self.fault, 20)

    def _keep(self) -> None:
        while not self.stopping.wait(RESTING_S):
            fault, self.fault = self.fault, ""
            arguments = (*(("probe.victim",) if fault else ()), *self.name.split())
            with started(arguments, {**self.env, VARIABLE: fault}, self.log) as self.process:
                self.exits.append(self.process.popen.wait())


@dataclass
class Chain:
    """All of it, the ways to its servers, and who may ask."""

    servers: Servers
    databases: dict[str, ServiceDatabase]
    broker_url: str
    members: dict[str, Member]
    to_postgres: Forwarder
    to_broker: Forwarder
    realm: Realm
    people: dict[str, UUID]
    units: dict[str, UUID]
    url: str
    variables: dict[str, str]

    @property
    def probe(self) -> Probe:
        return Probe(self.databases["probe"], self.broker_url, self.variables)

    def headers(self, person: str) -> dict[str, str]:
        """What a request in somebody's name carries; good for a day."""
        roles = ["admin", "director", "manager", "supervisor", "salesperson"]
        claims: dict[str, Any] = {"employee_id": str(self.people[person]), "sub": person, "roles": roles}
        issued = self.realm.token(**claims, exp=2**31)
        return {"Authorization": f"Bearer {issued}"}

    def environment(self, name: str) -> dict[str, str]:
        return self.members[name].env

    def ready(self) -> bool:
        return all(member.ready() for member in self.members.values())


@contextmanager
def opened(servers: Servers, name: str, folder: Path) -> Iterator[Chain]:
    """The chain on private servers, with a small company planted and known."""
    realm = Realm(new_key("faults"))
    databases = Databases(servers.environment.postgres_url, slot=name)
    with ExitStack() as stack:
        stack.callback(databases.close)
        stack.enter_context(realms.serving(realm))
        broker_url = stack.enter_context(virtual_host(servers.environment, name))
        stack.callback(servers.start)
        ways = [stack.enter_context(_way(url)) for url in (servers.environment.postgres_url, broker_url)]
        made = {service: databases.fresh(service) for service in SERVICES}
        planted, people, units = platform.organisation()
        bootstrap.plant(made["identity"].engine("owner"), planted)
        (folder / "keys").mkdir()
        platform.write_key(folder / "keys")
        shared, url = _shared(realm, folder), f"127.0.0.1:{free_port()}"
        members = _members(made, broker_url, shared, ways, door=url, folder=folder)
        chain = Chain(
            servers=servers,
            databases=made,
            broker_url=broker_url,
            members=members,
            to_postgres=ways[0],
            to_broker=ways[1],
            realm=realm,
            people=people,
            units=units,
            url=f"http://{url}",
            variables=shared,
        )
        stack.callback(_end, chain)
        for tier in (CONSUMERS, RELAYS):
            _start([members[name] for name in tier])
        eventually(lambda: _known(chain), 60)
        yield chain


def _way(url: str) -> Forwarder:
    parts = urlsplit(url)
    return Forwarder(parts.hostname or "", parts.port or 0)


def _shared(realm: Realm, folder: Path) -> dict[str, str]:
    targets = {f"TONGXIAO_{name.upper()}_TARGET": f"127.0.0.1:{free_port()}" for name in SERVICES}
    base, _, name = realm.url.partition("/realms/")
    return {
        **QUICK,
        **targets,
        "TONGXIAO_SERVICE_TOKEN": platform.TOKEN,
        "TONGXIAO_ISSUER": realm.url,
        "TONGXIAO_KEYCLOAK_URL": base,
        "TONGXIAO_KEYCLOAK_REALM": name,
        "TONGXIAO_KEYCLOAK_CLIENT_SECRET": platform.SECRET,
        "TONGXIAO_SIGNING_KEY_DIR": str(folder / "keys"),
        "TONGXIAO_FILES_URL": f"file://{folder / 'files'}",
    }


def _members(
    databases: dict[str, ServiceDatabase],
    broker_url: str,
    shared: dict[str, str],
    ways: Sequence[Forwarder],
    *,
    door: str,
    folder: Path,
) -> dict[str, Member]:
    to_postgres, to_broker = ways
    broker_url = _through(broker_url, to_broker)
    members = {}
    for name in (*CONSUMERS, *RELAYS):
        service, kind = name.split()
        if service == "gateway":
            env = {**shared, "TONGXIAO_LISTEN": door, "TONGXIAO_BROKER_URL": broker_url}
        else:
            listen = shared[f"TONGXIAO_{service.upper()}_TARGET"] if kind == "serve" else "127.0.0.1:0"
            env = process_environment(kind, databases[service], broker_url, **shared, TONGXIAO_LISTEN=listen)
            env["TONGXIAO_DATABASE_URL"] = _through(env["TONGXIAO_DATABASE_URL"], to_postgres)
        if name == "identity work":
            # There is no Keycloak to tell: what it would be told waits.
            env["TONGXIAO_KEYCLOAK_URL"] = "http://127.0.0.1:1"
        members[name] = Member(name, env, folder / f"{name}.log")
    return members


def _through(url: str, way: Forwarder) -> str:
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@127.0.0.1:{way.port}").geturl()


def _start(members: Sequence[Member]) -> None:
    for member in members:
        member.start()
    eventually(lambda: all(member.ready() for member in members), 60, every=0.2)


def _known(chain: Chain) -> bool:
    """Whether identity's people and tree are where others keep them."""
    with chain.databases["customers"].admin() as connection:
        people = connection.execute("SELECT count(*) FROM org_people").fetchone()
    return people is not None and people[0] == len(chain.people)


def _end(chain: Chain) -> None:
    for member in chain.members.values():
        member.stop()
    for member in (each for each in chain.members.values() if each.process):
        while member.thread.is_alive():
            member.stop()
            member.thread.join(1)
