"""The identity service with a small company: HQ over two branches, each with a team; people in their posts."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import clock, outbox
from chassis import closing as asking
from chassis.caller import Caller
from chassis.database import transaction
from chassis.ids import new_id
from chassis.passport import LIFETIME, sign
from chassis.testing import Databases, Environment, ServiceDatabase
from chassis.testing.rpc import KEY, Client, Door, opened
from identity import parts
from identity.bootstrap import Organisation, PersonSeed, PostSeed, TenureSeed, UnitSeed, plant
from identity.post import holding_queries as holdings
from identity.session import grants, tokens
from identity.unit import closing
from tongxiao.common.v1 import closing_pb2
from tongxiao.identity.v1 import unit_pb2

from . import realms
from .realms import TestRealm

ISSUER = "http://localhost/realms/tests"
REALM_KEY = RSAKey.generate_key(2048, {"kid": "realm", "use": "sig"}, private=True)
KINDS = {0: unit_pb2.UNIT_KIND_COMPANY, 1: unit_pb2.UNIT_KIND_BRANCH, 2: unit_pb2.UNIT_KIND_TEAM}
UNITS = {"hq": None, "hangzhou": "hq", "shenzhen": "hq", "h1": "hangzhou", "h2": "hangzhou", "s1": "shenzhen"}
# Person: role, unit, governed units.
PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "admin": ("admin", "hq", ("hq",)),
    "director": ("director", "hq", ("hq",)),
    "manager": ("manager", "hangzhou", ("hangzhou",)),
    "shenzhen": ("manager", "shenzhen", ("shenzhen",)),
    "supervisor": ("supervisor", "h1", ("h1",)),
    "seller": ("salesperson", "h1", ()),
    "other": ("salesperson", "s1", ()),
}


@dataclass
class Company:
    """The company of a test: ids by name of units, posts, people and tenures."""

    database: ServiceDatabase
    door: Door
    unit: dict[str, UUID]
    post: dict[str, UUID]
    person: dict[str, UUID]
    tenure: dict[str, UUID]

    def as_(self, name: str) -> Client:
        """A client with the very grants that the person's posts give today."""
        return self.client(self.person[name])

    def client(self, person_id: UUID) -> Client:
        with Session(self.database.engine("worker")) as session:
            held = grants.one_per_post(holdings.of_people(session, [person_id]))
            granted = tuple(grants.grant_of(holding) for holding in held)
        now = clock.now()
        caller = Caller(
            person_id=person_id,
            session_id=f"session of {person_id}",
            grants=granted,
            issued_at=now,
            expires_at=now + LIFETIME,
        )
        return replace(self.door.with_passport(sign(caller, KEY), person_id=person_id), grants=granted)

    def hire_clerk(self) -> Client:
        """Somebody who manages employees throughout the company, but may grant nothing."""
        return self._hire("clerk", "hq", "employee.manage", "employee.read")

    def hire_role_keeper(self) -> Client:
        """Somebody who manages roles throughout the company, but may grant nothing."""
        return self._hire("keeper", "hq", "role.manage", "role.read")

    def branch_admin(self, unit: str) -> Client:
        """Somebody who manages the units of one branch."""
        return self._hire("branch", unit, "unit.manage", "unit.read")

    def _hire(self, code: str, unit: str, *permissions: str) -> Client:
        admin, home = self.as_("admin"), str(self.unit[unit])
        role = {"code": code, "name": code, "level": "LEVEL_ADMIN", "permissions": permissions}
        post = {"code": code, "name": code, "unit_id": home, "governed_unit_ids": [home]}
        post_id = admin("CreatePost", post={**post, "role_id": admin("CreateRole", role=role).id}).id
        person = admin("CreateEmployee", employee={"number": f"E-{code}", "name": code, "unit_id": home})
        tenure = {"post_id": post_id, "employee_id": person.id, "kind": "TENURE_KIND_HOLDER", "main": True}
        admin("CreateTenure", tenure=tenure)
        return self.client(UUID(person.id))

    def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        with self.database.engine("owner").connect() as connection:
            return connection.execute(text(statement), values).all()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of the events of one type that wait for the relay, oldest first."""
        rows = self.rows("SELECT envelope FROM outbox WHERE type = :kind ORDER BY id", kind=kind)
        return [json.loads(bytes(row.envelope))["data"] for row in rows]

    def forget_events(self) -> None:
        with self.database.engine("owner").begin() as connection:
            connection.execute(text("DELETE FROM outbox"))

    def tell_of_closing(self, unit: Any, *, source: str = "customers", **counts: int) -> None:
        """Have a service answer what lies in a unit that is closing."""
        told: Any = closing_pb2.UnitOccupied(unit_id=unit.id, tree_version=unit.tree_version, counts=counts)
        kind = asking.OCCUPIED if counts else asking.EMPTY
        with transaction(self.database.engine("worker")) as session:
            event = outbox.fact(source, kind, told, subject=unit.id)
            closing.answered(session, event, services=("customers", "probe"))

    def audited(self, resource: str, resource_id: object) -> list[str]:
        """What was done to a record, oldest first."""
        wanted = "SELECT action FROM audit WHERE resource = :resource AND resource_id = :id ORDER BY id"
        return [row.action for row in self.rows(wanted, resource=resource, id=str(resource_id))]

    def token(self, name: str, **claims: Any) -> str:
        return token(self.person[name], **claims)


def token(person_id: UUID, **claims: Any) -> str:
    """An access token as the realm would issue it."""
    now = int(clock.now().timestamp())
    payload = {
        "iss": ISSUER,
        "aud": ["tongxiao-api"],
        "typ": "Bearer",
        "sub": f"account of {person_id}",
        "sid": f"session of {person_id}",
        "iat": now,
        "exp": now + 300,
        "employee_id": str(person_id),
        "roles": ["director", "manager", "supervisor", "salesperson", "admin", "finance", "knowledge_editor"],
        **claims,
    }
    return jwt.encode({"alg": "RS256", "kid": REALM_KEY.kid}, payload, REALM_KEY)


def company() -> tuple[Organisation, dict[str, dict[str, UUID]]]:
    """The organisation of the tests, and its ids."""
    unit = {name: new_id() for name in UNITS}
    post, person, tenure = ({name: new_id() for name in PEOPLE} for _ in range(3))
    depth = {"hq": 0, "hangzhou": 1, "shenzhen": 1}
    heads = {"hq": "director", "hangzhou": "manager", "shenzhen": "shenzhen", "h1": "supervisor"}
    units = [
        UnitSeed(
            id=unit[name],
            code=name,
            name=f"{name}单元",
            kind=KINDS[depth.get(name, 2)],
            parent_id=unit[parent] if parent else None,
            head_post_id=post[heads[name]] if name in heads else None,
        )
        for name, parent in UNITS.items()
    ]
    posts = [
        PostSeed(
            id=post[name],
            code=f"P-{name}",
            name=f"{name}岗",
            role=role,
            unit_id=unit[place],
            governed_unit_ids=tuple(unit[governed] for governed in governs),
        )
        for name, (role, place, governs) in PEOPLE.items()
    ]
    people = [
        PersonSeed(id=person[name], number=f"E-{name}", name=f"{name}先生", username=name, unit_id=unit[place])
        for name, (_, place, _) in PEOPLE.items()
    ]
    tenures = [TenureSeed(id=tenure[name], post_id=post[name], employee_id=person[name]) for name in PEOPLE]
    organisation = Organisation(units=units, posts=posts, people=people, tenures=tenures)
    return organisation, {"unit": unit, "post": post, "person": person, "tenure": tenure}


@pytest.fixture(scope="session")
def database(service_databases: Databases) -> ServiceDatabase:
    return service_databases.get("identity")


@pytest.fixture(scope="session")
def signing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the one key that signs the passports of these tests."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / f"{KEY.kid}.pem").write_bytes(KEY.as_pem(private=True))
    return folder


@pytest.fixture(scope="session")
def door(database: ServiceDatabase, signing_folder: Path) -> Iterator[Door]:
    """The service on a realm that is not there: its keys are the tests' own."""
    settings = {
        "keycloak_url": "http://127.0.0.1:9",
        "keycloak_client_secret": SecretStr("none"),
        "issuer": ISSUER,
        "signing_key_dir": signing_folder,
    }
    with opened(database, **settings) as found:
        made = parts.current()
        keys = tokens.RealmKeys(lambda: KeySet([REALM_KEY]), refetch_s=10)
        verifier = tokens.TokenVerifier(keys, issuer=ISSUER, audience="tongxiao-api")
        parts.use(parts.Parts(realm=made.realm, verifier=verifier, keys=made.keys))
        yield found


@pytest.fixture(scope="session")
def whole_realm(environment: Environment, database: ServiceDatabase, test_slot: str, door: Door) -> Iterator[TestRealm]:
    with realms.made(environment, database, f"identity_{test_slot}") as found:
        yield found


@pytest.fixture
def realm(whole_realm: TestRealm, firm: "Company") -> Iterator[TestRealm]:
    """The real Keycloak's realm, empty; the service sets passwords and ends sessions there."""
    whole_realm.clear()
    before = parts.current()
    parts.use(replace(before, realm=whole_realm.realm))
    yield whole_realm
    parts.use(before)


@pytest.fixture
def firm(service_database: Callable[[str], ServiceDatabase], door: Door) -> Company:
    """The company, just planted."""
    database = service_database("identity")
    organisation, ids = company()
    plant(database.engine("worker"), organisation)
    door.pipeline.trees.forget()
    return Company(database, door, **ids)
