"""The whole platform of a test: identity, customers and the gateway as processes, a realm of its own at Keycloak."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keycloak import KeycloakAdmin

from chassis.testing import Databases, Environment, ServiceDatabase, eventually, process_environment, running
from chassis.testing.processes import free_port
from deploy.keycloak import realm as document
from identity import bootstrap
from identity.bootstrap import Organisation, PersonSeed, PostSeed, TenureSeed, UnitSeed
from tongxiao.identity.v1.unit_pb2 import UNIT_KIND_BRANCH, UNIT_KIND_COMPANY, UNIT_KIND_TEAM

# Tokens live for five minutes.
FRESH_S = 120
SECRET, TOKEN, PASSWORD = "a secret of the tests", "a token of the tests", "correct-horse-battery"
ROLES = {
    "director": ("hq", True),
    "admin": ("hq", True),
    "finance": ("hq", True),
    "manager_h": ("hangzhou", True),
    "manager_s": ("shenzhen", True),
    "supervisor_h": ("h1", True),
    "salesperson_h": ("h1", False),
    "salesperson_h2": ("h2", False),
    "salesperson_s": ("s1", False),
    "omnipotent": ("hq", True),
    "omnipotent_h": ("hangzhou", True),
}
# Who holds posts of several roles.
SEVERAL = {"omnipotent": ("director", "admin"), "omnipotent_h": ("director", "admin")}
UNITS = {
    "hq": (None, UNIT_KIND_COMPANY),
    "hangzhou": ("hq", UNIT_KIND_BRANCH),
    "shenzhen": ("hq", UNIT_KIND_BRANCH),
    "h1": ("hangzhou", UNIT_KIND_TEAM),
    "h2": ("hangzhou", UNIT_KIND_TEAM),
    "s1": ("shenzhen", UNIT_KIND_TEAM),
}


@dataclass
class Platform:
    """Where the platform is, and who may sign in to it."""

    url: str
    realm_url: str
    people: dict[str, UUID]
    units: dict[str, UUID]
    identity: ServiceDatabase
    customers: ServiceDatabase
    broker_url: str
    # What its gateway was started with, for another beside it.
    door: dict[str, str]
    _clients: dict[str, httpx.Client] = field(default_factory=dict)
    _signed_in: dict[str, float] = field(default_factory=dict)

    def token(self, username: str) -> str:
        form = {"grant_type": "password", "client_id": document.TEST_CLIENT, "scope": "openid"}
        form |= {"username": username, "password": PASSWORD}
        answer = httpx.post(f"{self.realm_url}/protocol/openid-connect/token", data=form).raise_for_status()
        return str(answer.json()["access_token"])

    def client(self, username: str) -> httpx.Client:
        """Requests in a person's name, signed in anew before the token ends."""
        if username not in self._clients:
            self._clients[username] = httpx.Client(base_url=self.url, timeout=20)
        if time.monotonic() > self._signed_in.get(username, float("-inf")) + FRESH_S:
            self._clients[username].headers["Authorization"] = f"Bearer {self.token(username)}"
            self._signed_in[username] = time.monotonic()
        return self._clients[username]

    def forget(self, username: str) -> None:
        """Have a person sign in anew when they are next asked for."""
        self._signed_in.pop(username, None)
        if client := self._clients.pop(username, None):
            client.close()

    def make(self, username: str, path: str, **given: Any) -> str:
        """A record that a person makes, by its id; others take it for one long known."""
        answer = self.client(username).post(path, json={"id": str(uuid4()), **given})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def roles_of(username: str) -> tuple[str, ...]:
    """The roles of the posts that a person of the test holds."""
    return SEVERAL.get(username, (username.split("_")[0],))


def organisation() -> tuple[Organisation, dict[str, UUID], dict[str, UUID]]:
    """A company of two branches, and a person in each role."""
    units: dict[str, UnitSeed] = {}
    for code, (parent, kind) in UNITS.items():
        units[code] = UnitSeed(code=code, name=code, kind=kind, parent_id=units[parent].id if parent else None)
    people, posts, tenures = [], [], []
    for username, (unit, governs) in ROLES.items():
        at = units[unit].id
        person = PersonSeed(number=username, name=username, username=username, unit_id=at)
        governed = (at,) if governs else ()
        people.append(person)
        for number, role in enumerate(roles_of(username)):
            post = PostSeed(code=f"P{number}-{username}", name=role, role=role, unit_id=at, governed_unit_ids=governed)
            posts.append(post)
            tenures.append(TenureSeed(post_id=post.id, employee_id=person.id, main=not number))
    made = Organisation(units=list(units.values()), posts=posts, people=people, tenures=tenures)
    return made, {person.username: person.id for person in people}, {code: unit.id for code, unit in units.items()}


@contextmanager
def started(
    environment: Environment, databases: Databases, broker_url: str, *, realm: str, keys: Path, **more: str
) -> Iterator[Platform]:
    """The platform, with everybody known to Keycloak and to customers; `more` is set for all its processes."""
    port, realm_url = free_port(), f"{environment['TONGXIAO_KEYCLOAK_URL']}/realms/{realm}"
    url = f"http://localhost:{port}"
    identity, customers = databases.fresh("identity"), databases.fresh("customers")
    planted, people, units = organisation()
    bootstrap.plant(identity.engine("owner"), planted)
    write_key(keys)
    with _realm(environment, realm, url) as admin, ExitStack() as stack:
        targets = {"IDENTITY_TARGET": f"127.0.0.1:{free_port()}", "CUSTOMERS_TARGET": f"127.0.0.1:{free_port()}"}
        shared = {f"TONGXIAO_{name}": target for name, target in targets.items()}
        shared |= {
            **more,
            "TONGXIAO_SERVICE_TOKEN": TOKEN,
            "TONGXIAO_ISSUER": realm_url,
            "TONGXIAO_KEYCLOAK_REALM": realm,
        }
        shared |= {"TONGXIAO_KEYCLOAK_URL": environment["TONGXIAO_KEYCLOAK_URL"]}
        shared |= {"TONGXIAO_FILES_URL": f"file://{keys / 'files'}"}
        shared |= {"TONGXIAO_KEYCLOAK_CLIENT_SECRET": SECRET, "TONGXIAO_SIGNING_KEY_DIR": str(keys)}
        shared |= {"TONGXIAO_JOB_POLL_S": "0.05"}
        # Relays last: what is sent before a consumer's queue is bound never comes to it.
        for kind in ("serve", "work", "jobs", "relay"):
            for database in (identity, customers):
                own = {**shared, "TONGXIAO_LISTEN": targets[f"{database.service.upper()}_TARGET"]}
                variables = process_environment(kind, database, broker_url, **own)
                stack.enter_context(running(database.service, kind, variables))
        door = {**shared, "TONGXIAO_LISTEN": f"127.0.0.1:{port}", "TONGXIAO_BROKER_URL": broker_url}
        # Tests ask more in a minute than people do.
        door |= {"TONGXIAO_REQUESTS_PER_MINUTE": "1000000"}
        stack.enter_context(running("gateway", "serve", door))
        platform = Platform(url, realm_url, people, units, identity, customers, broker_url, door)
        stack.callback(platform.close)
        _settle(platform, admin)
        yield platform


def _settle(platform: Platform, admin: KeycloakAdmin) -> None:
    """Wait until identity's people are everywhere; give each the password of the tests."""
    eventually(lambda: _known(platform), timeout=60)
    for keycloak_id in bootstrap.keycloak_ids(platform.identity.engine("owner")).values():
        admin.set_user_password(str(keycloak_id), PASSWORD, temporary=False)
    eventually(lambda: platform.client("director").get("/v1/me").status_code == 200, timeout=30)


def _known(platform: Platform) -> bool:
    told = bootstrap.keycloak_ids(platform.identity.engine("owner"))
    with platform.customers.admin() as connection:
        known = connection.execute("SELECT id FROM org_people WHERE cardinality(unit_ids) > 0").fetchall()
    return all(told.values()) and len(known) == len(platform.people)


@contextmanager
def _realm(environment: Environment, name: str, url: str) -> Iterator[KeycloakAdmin]:
    admin = KeycloakAdmin(
        server_url=environment["TONGXIAO_KEYCLOAK_URL"],
        username=environment["TONGXIAO_KEYCLOAK_ADMIN"],
        password=environment["TONGXIAO_KEYCLOAK_ADMIN_PASSWORD"],
        realm_name="master",
        timeout=120,
        max_retries=0,
    )
    described: dict[str, Any] = json.loads(json.dumps(document.realm([url], service_secret=SECRET, for_tests=True)))
    admin.create_realm({**described, "realm": name}, skip_exists=True)
    admin.connection.realm_name = name
    try:
        yield admin
    finally:
        admin.connection.realm_name = "master"
        admin.delete_realm(name)


def write_key(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "e2e.pem").write_bytes(pem)
