"""Reach against a plain oracle: organisations, posts, shares and customers grown at random, every surface compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from chassis import clock, schema
from chassis.caller import FieldAccess, Grant
from chassis.database import transaction
from chassis.ids import new_id
from chassis.testing import ServiceDatabase
from chassis.testing.rpc import Client, Door, grant
from customers import search
from customers.base import NEVER
from customers.contact.model import Contact, ContactPlace
from customers.customer.model import Customer
from tongxiao.common.v1.permission_pb2 import Permission

from .conftest import Company, plant
from .making import refusal

READ: int = Permission.PERMISSION_CUSTOMER_READ
UPDATE: int = Permission.PERMISSION_CUSTOMER_UPDATE
REASSIGN: int = Permission.PERMISSION_CUSTOMER_REASSIGN
AUDIT: int = Permission.PERMISSION_AUDIT_READ
MISSING = {"NOT_FOUND", "NOT_YET_KNOWN"}


@dataclass
class Record:
    """A customer of the oracle: who owns it where, and with whom it is shared, how far and whether still."""

    name: str
    owners: list[tuple[int, int]]
    shares: dict[int, tuple[bool, bool]]
    id: UUID = field(default_factory=new_id)
    contact_id: UUID = field(default_factory=new_id)


@dataclass
class World:
    """Units by number (parents come before children), posts as (permissions, unit, governed), people's posts."""

    parents: list[int | None]
    posts: list[list[tuple[frozenset[int], int, frozenset[int]]]]
    records: list[Record]

    def under(self, unit: int, roots: frozenset[int]) -> bool:
        at: int | None = unit
        while at is not None:
            if at in roots:
                return True
            at = self.parents[at]
        return False

    def reaches(
        self, person: int, record: Record, permission: int, *, writes: bool = False, shares: bool = True
    ) -> bool:
        """The one rule about rights, said as plainly as can be."""
        for permissions, unit, governed in self.posts[person]:
            if permission not in permissions:
                continue
            for owner, at in record.owners:
                if self.under(at, governed) or (owner == person and self.under(at, governed | {unit})):
                    return True
            live, writable = record.shares.get(person, (False, False))
            if shares and live and (writable or not writes):
                return True
        return False


@st.composite
def worlds(draw: st.DrawFn) -> World:
    units = draw(st.integers(2, 7))
    parents: list[int | None] = [None] + [draw(st.integers(0, n - 1)) for n in range(1, units)]
    unit, people = st.integers(0, units - 1), draw(st.integers(1, 4))
    permissions = st.frozensets(st.sampled_from([READ, UPDATE, REASSIGN, AUDIT]), max_size=4)
    post = st.tuples(permissions, unit, st.frozensets(unit, max_size=2))
    posts = [draw(st.lists(post, max_size=3)) for _ in range(people)]
    person = st.integers(0, people - 1)
    record = st.builds(
        Record,
        name=st.sampled_from(["远山机械", "远山电子", "甬江电子"]),
        owners=st.lists(st.tuples(person, unit), min_size=1, max_size=2),
        shares=st.dictionaries(person, st.tuples(st.booleans(), st.booleans()), max_size=2),
    )
    return World(parents, posts, draw(st.lists(record, max_size=6)))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(world=worlds())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_surface_reaches_exactly_what_the_rule_says(
    world: World, company: Company, door: Door, service_database: Callable[[str], ServiceDatabase]
) -> None:
    database = service_database("customers")
    clients = build(world, database, door)
    for person, client in enumerate(clients):
        readable = [r for r in world.records if world.reaches(person, r, READ)]
        compare_lists(client, world, person, readable)
        compare_trail(client, world, person)
        for record in world.records:
            compare_single(client, world, person, record)


def compare_lists(client: Client, world: World, person: int, readable: list[Record]) -> None:
    """List, count and search show the readable, no more and no less."""
    if not any(READ in permissions for permissions, _, _ in world.posts[person]):
        assert refusal(lambda: client("ListCustomers")) == "PERMISSION_MISSING"
        return
    wanted = {str(record.id) for record in readable}
    for order in (1, 2, 3):
        found: list[str] = []
        token = ""
        while True:
            page = client("ListCustomers", order=order, page_size=2, page_token=token)
            found += [customer.id for customer in page.customers]
            token = page.next_page_token
            if not token:
                break
        assert len(found) == len(set(found))
        assert set(found) == wanted
    assert client("CountCustomers").count == len(wanted)
    hits = client("SearchCustomers", query="电子").customers
    assert {customer.id for customer in hits} == {str(r.id) for r in readable if "电子" in r.name}


def compare_trail(client: Client, world: World, person: int) -> None:
    """The trail shows what was done to records that one governs or owns, and to their contacts; shares do not count."""
    if not any(AUDIT in permissions for permissions, _, _ in world.posts[person]):
        assert refusal(lambda: client("ListAudit")) == "PERMISSION_MISSING"
        return
    wanted = [record for record in world.records if world.reaches(person, record, AUDIT, shares=False)]
    for resource, ids in (("customer", [r.id for r in wanted]), ("contact", [r.contact_id for r in wanted])):
        found: list[str] = []
        token = ""
        while True:
            page = client("ListAudit", resource=resource, page_size=2, page_token=token)
            found += [entry.resource_id for entry in page.entries]
            token = page.next_page_token
            if not token:
                break
        assert sorted(found) == sorted(map(str, ids))


def compare_single(client: Client, world: World, person: int, record: Record) -> None:
    """Reading one, its overview, changing and reassigning it answer as the rule says."""
    holds = {p for permissions, _, _ in world.posts[person] for p in permissions}
    readable = world.reaches(person, record, READ)
    if READ in holds:
        for name in ("GetCustomer", "GetCustomerOverview"):
            reason = refusal(lambda name=name: client(name, id=str(record.id)))  # type: ignore[misc]
            assert reason in ({""} if readable else MISSING)
    if UPDATE in holds:
        changed = world.reaches(person, record, UPDATE, writes=True)
        wrong = {"id": str(record.id), "etag": "0", "note": "x"}
        reason = refusal(lambda: client("UpdateCustomer", customer=wrong))
        assert reason in (({"VERSION_MISMATCH"} if changed else {"OUT_OF_REACH"}) if readable else MISSING)


def build(world: World, database: ServiceDatabase, door: Door) -> list[Client]:
    """Put a world into the database; answer a client for each of its people."""
    units = [new_id() for _ in world.parents]
    plant(database, {unit: units[p] if p is not None else None for unit, p in zip(units, world.parents, strict=True)})
    door.pipeline.trees.forget()
    people = [new_id() for _ in world.posts]
    lines = [new_id(), new_id()]
    with database.engine("owner").begin() as connection:
        for at, line in enumerate(lines):
            connection.execute(text(LINE), {"id": line, "code": f"L{at}"})
        for record in world.records:
            connection.execute(text(CUSTOMER), row(record))
            for line, (owner, unit) in zip(lines, record.owners, strict=False):
                values = row(record) | {"line": line, "owner": people[owner], "unit": units[unit], "key": new_id()}
                connection.execute(text(ASSIGNMENT), values)
            for person, (live, writes) in record.shares.items():
                expires = clock.now() + timedelta(hours=1 if live else -1)
                share = {"entity": "customer", "entity_id": record.id, "person_id": people[person], "source": "share"}
                share |= {"source_id": new_id(), "writes": writes, "expires_at": expires}
                connection.execute(insert(schema.access).values(**share))
    act(world, database)
    fields = {"customer.phones": FieldAccess.EDIT}
    return [
        door.as_(*(made(post, units, fields) for post in posts), person_id=person)
        for person, posts in zip(people, world.posts, strict=True)
    ]


def act(world: World, database: ServiceDatabase) -> None:
    """Have the service itself leave a row of the trail for each customer, and one for a contact there."""
    with transaction(database.engine("api"), action="act") as session:
        for record in world.records:
            session.get_one(Customer, record.id).note = "touched"
            blank = dict.fromkeys(("name_en", "mobile", "phone", "email", "wechat", "birthday", "note"), "")
            contact = Contact(id=record.contact_id, name="李四", email_consent=0, phone_consent=0, **blank)
            at = {"customer_id": record.id, "position": 0, "role": 0, "job_title": "", "department": ""}
            contact.places = [ContactPlace(contact_id=contact.id, **at)]
            session.add(contact)
        session.flush()


def made(post: tuple[frozenset[int], int, frozenset[int]], units: list[UUID], fields: dict[str, FieldAccess]) -> Grant:
    permissions, unit, governed = post
    return grant(*permissions, unit=units[unit], governs=[units[g] for g in governed], fields=fields)


def row(record: Record) -> dict[str, object]:
    text_ = search.search_text(names=[record.name], code="")
    grams = sorted(search.bigrams(text_))
    key = search.sort_key(record.name)
    return {"id": record.id, "name": record.name, "text": text_, "grams": grams, "sort": key, "never": NEVER}


LINE = "INSERT INTO product_lines VALUES (:id, :code, '', '', false, 1, now(), now())"
CUSTOMER = """
INSERT INTO customers (id, name, short_name, name_en, credit_code, industry, size, tier, source, division_code, address,
    website, phones, tags, note, custom_fields, search_text, search, created_by, created_at, last_contact_at, sort_name,
    version, updated_at)
VALUES (:id, :name, '', '', '', '', 0, 0, 0, '', '', '', '{}', '{}', '', '{}', :text, array_to_tsvector(:grams), :id,
    now(), :never, :sort, 1, now())
"""
ASSIGNMENT = """
INSERT INTO assignments (id, customer_id, line_id, owner_id, unit_id, since, created_at, last_contact_at, sort_name)
VALUES (:key, :id, :line, :owner, :unit, now(), now(), :never, :sort)
"""
