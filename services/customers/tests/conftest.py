"""The customers service with a small company: HQ over two branches, each with two teams."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, text

from chassis import schema
from chassis.caller import FieldAccess, Grant
from chassis.ids import new_id
from chassis.testing import Databases, ServiceDatabase
from chassis.testing.desk import Work, working
from chassis.testing.rpc import Client, Door, grant, opened
from tongxiao.common.v1.permission_pb2 import Permission

ALL = tuple(number for number in Permission.values() if number)
CLEAR = dict.fromkeys(
    ("customer.phones", "contact.mobile", "contact.phone", "contact.email", "contact.wechat", "contact.birthday"),
    FieldAccess.EDIT,
)


@dataclass
class Company:
    """The units of the test's company, and its people."""

    database: ServiceDatabase
    hq: UUID
    hangzhou: UUID
    shenzhen: UUID
    team: dict[str, UUID]
    line: UUID

    def hire(self, unit: UUID, *, name: str = "张三", state: str = "ACTIVE") -> UUID:
        """An employee whose post is in a unit."""
        person = new_id()
        row = {"id": person, "version": 1, "number": str(person)[-8:], "name": name, "name_en": "", "state": state}
        with self.database.engine("worker").begin() as connection:
            connection.execute(insert(schema.org_people).values(**row, unit_id=unit, unit_ids=[unit]))
        return person


@pytest.fixture(scope="session")
def database(service_databases: Databases) -> ServiceDatabase:
    return service_databases.get("customers")


@pytest.fixture(scope="session")
def door(database: ServiceDatabase) -> Iterator[Door]:
    with opened(database) as found:
        yield found


@pytest.fixture
def company(service_database: Callable[[str], ServiceDatabase], door: Door) -> Company:
    database = service_database("customers")
    names = ("hq", "hangzhou", "shenzhen", "h1", "h2", "s1")
    unit = {name: new_id() for name in names}
    parents = {"hq": None, "hangzhou": "hq", "shenzhen": "hq", "h1": "hangzhou", "h2": "hangzhou", "s1": "shenzhen"}
    plant(database, {unit[name]: unit[parent] if parent else None for name, parent in parents.items()})
    door.pipeline.trees.forget()
    line = new_id()
    with database.engine("owner").begin() as connection:
        statement = "INSERT INTO product_lines VALUES (:id, 'L1', '设备', 'Equipment', false, 1, now(), now())"
        connection.execute(text(statement), {"id": line})
    return Company(database, unit["hq"], unit["hangzhou"], unit["shenzhen"], unit, line)


def plant(database: ServiceDatabase, parents: dict[UUID, UUID | None]) -> None:
    """Put an organisation's tree in place of what is there."""
    blank = {"code": "", "name": "", "name_en": "", "kind": "TEAM", "time_zone": "Asia/Shanghai"}
    with database.engine("worker").begin() as connection:
        version = connection.scalar(text("SELECT max(tree_version) FROM org_state")) or 0
        connection.execute(delete(schema.org_units))
        connection.execute(delete(schema.org_closure))
        units = [
            {"id": unit, "parent_id": parent, "currency": "CNY", "state": "ACTIVE", **blank}
            for unit, parent in parents.items()
        ]
        connection.execute(insert(schema.org_units), units)
        closure = [
            {"ancestor_id": above, "descendant_id": unit, "depth": depth}
            for unit in parents
            for depth, above in enumerate(upward(unit, parents))
        ]
        connection.execute(insert(schema.org_closure), closure)
        if version:
            connection.execute(text("UPDATE org_state SET tree_version = tree_version + 1"))
        else:
            connection.execute(insert(schema.org_state).values(id=1, tree_version=1))


def upward(unit: UUID | None, parents: dict[UUID, UUID | None]) -> Iterator[UUID]:
    """A unit and all above it."""
    while unit is not None:
        yield unit
        unit = parents[unit]


@dataclass
class Staff:
    """Clients for the usual people of the company."""

    company: Company
    door: Door

    def seller(self, team: str = "h1") -> Client:
        unit = self.company.team[team]
        return self._client(unit, grant(*ALL, unit=unit, fields=CLEAR))

    def manager(self, branch: str = "hangzhou") -> Client:
        unit = self.company.team[branch]
        return self._client(unit, grant(*ALL, unit=unit, governs=[unit], fields=CLEAR))

    def director(self) -> Client:
        return self._client(self.company.hq, grant(*ALL, unit=self.company.hq, governs=[self.company.hq], fields=CLEAR))

    def with_(self, *grants: Grant, home: UUID) -> Client:
        return self._client(home, *grants)

    def _client(self, home: UUID, *grants: Grant) -> Client:
        return self.door.as_(*grants, person_id=self.company.hire(home))


@pytest.fixture
def staff(company: Company, door: Door) -> Staff:
    return Staff(company, door)


@pytest.fixture
def work(company: Company, tmp_path: Path) -> Iterator[Work]:
    """Who does long work, and where its files are."""
    with working(company.database, str(tmp_path)) as found:
        yield found
