"""Organisations, posts, shares and records grown at random, and the one rule about rights said as plainly as can be."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

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

from .conftest import plant

READ: int = Permission.PERMISSION_CUSTOMER_READ
UPDATE: int = Permission.PERMISSION_CUSTOMER_UPDATE
REASSIGN: int = Permission.PERMISSION_CUSTOMER_REASSIGN
CONTACTS: int = Permission.PERMISSION_CONTACT_READ
RECORDS: int = Permission.PERMISSION_CONTACT_RECORD_READ
AUDIT: int = Permission.PERMISSION_AUDIT_READ
LINES: int = Permission.PERMISSION_PRODUCT_LINE_READ
PHONE = "+862112345678"


@dataclass
class Record:
    """A customer: who owns it where, with whom it is shared, how far and whether still; with one contact record.

    Its own contact is at no other customer.
    """

    name: str
    owners: list[tuple[int, int]]
    shares: dict[int, tuple[bool, bool]]
    id: UUID = field(default_factory=new_id)
    visit: UUID = field(default_factory=new_id)
    contact: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class Post:
    """Permissions, the unit it belongs to, the units it governs, and whether phones are read in clear."""

    permissions: frozenset[int]
    unit: int
    governed: frozenset[int]
    clear: bool


@dataclass
class World:
    """Units by number (parents come before children), people's posts, customers, and contacts by where they are."""

    parents: list[int | None]
    posts: list[list[Post]]
    records: list[Record]
    contacts: dict[UUID, list[Record]]

    def holds(self, person: int, permission: int) -> bool:
        return any(permission in post.permissions for post in self.posts[person])

    def finds(self, person: int) -> bool:
        """Whether the person may look for phones: every post that reads customers reads them in clear."""
        reading = [post.clear for post in self.posts[person] if READ in post.permissions]
        return bool(reading) and all(reading)

    def clear(self, person: int, record: Record) -> bool:
        """Whether a customer's phones are read in clear: by a post that reaches it, or any where it is but shared."""
        reading = [post for post in self.posts[person] if READ in post.permissions]
        reaching = [post for post in reading if self.lies(person, record, post)]
        return any(post.clear for post in reaching or reading)

    def lies(self, person: int, record: Record, post: Post) -> bool:
        """Whether a customer lies where a post reaches."""
        return any(
            self.under(at, post.governed) or (owner == person and self.under(at, post.governed | {post.unit}))
            for owner, at in record.owners
        )

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
        """The one rule about rights."""
        for post in self.posts[person]:
            if permission not in post.permissions:
                continue
            if self.lies(person, record, post):
                return True
            live, writable = record.shares.get(person, (False, False))
            if shares and live and (writable or not writes):
                return True
        return False


@st.composite
def worlds(draw: st.DrawFn) -> World:
    units = draw(st.integers(2, 7))
    parents: list[int | None] = [None] + [draw(st.integers(0, n - 1)) for n in range(1, units)]
    unit, people = st.integers(0, units - 1), draw(st.integers(2, 5))
    permissions = st.frozensets(st.sampled_from([READ, UPDATE, REASSIGN, CONTACTS, RECORDS, LINES, AUDIT]), max_size=5)
    post = st.builds(
        Post, permissions=permissions, unit=unit, governed=st.frozensets(unit, max_size=2), clear=st.booleans()
    )
    posts = [draw(st.lists(post, max_size=3)) for _ in range(people)]
    person = st.integers(0, people - 1)
    record = st.builds(
        Record,
        name=st.sampled_from(["远山机械", "远山电子", "甬江电子"]),
        owners=st.lists(st.tuples(person, unit), min_size=1, max_size=2),
        shares=st.dictionaries(person, st.tuples(st.booleans(), st.booleans()), max_size=2),
    )
    records = draw(st.lists(record, min_size=2, max_size=12))
    places = st.lists(st.integers(0, len(records) - 1), min_size=1, max_size=2, unique=True)
    contacts = draw(st.lists(places, max_size=6))
    shared = {new_id(): [records[at] for at in found] for found in contacts}
    return World(parents, posts, records, {**{record.contact: [record] for record in records}, **shared})


def build(world: World, database: ServiceDatabase, door: Door) -> list[Client]:
    """Put a world into the database; answer a client for each of its people."""
    units = [new_id() for _ in world.parents]
    plant(database, {unit: units[p] if p is not None else None for unit, p in zip(units, world.parents, strict=True)})
    door.pipeline.trees.forget()
    people, lines = [new_id() for _ in world.posts], [new_id(), new_id()]
    with database.engine("owner").begin() as connection:
        for at, line in enumerate(lines):
            connection.execute(text(LINE), {"id": line, "code": f"L{at}"})
        for record in world.records:
            _put(connection, record, units=units, people=people, lines=lines)
        for contact in world.contacts.keys() - {record.contact for record in world.records}:
            places = world.contacts[contact]
            connection.execute(text(CONTACT), {"id": contact})
            for at, record in enumerate(places):
                place = {"id": new_id(), "contact": contact, "customer": record.id, "at": at}
                connection.execute(text(PLACE), place)
    _act(world, database)
    return [
        door.as_(*(_grant(post, units) for post in posts), person_id=person)
        for person, posts in zip(people, world.posts, strict=True)
    ]


def _put(connection: Connection, record: Record, *, units: list[UUID], people: list[UUID], lines: list[UUID]) -> None:
    connection.execute(text(CUSTOMER), row(record))
    connection.execute(text(VISIT), {"id": record.visit, "customer": record.id, "author": people[0]})
    for line, (owner, unit) in zip(lines, record.owners, strict=False):
        values = row(record) | {"line": line, "owner": people[owner], "unit": units[unit], "key": new_id()}
        connection.execute(text(ASSIGNMENT), values)
    for person, (live, writes) in record.shares.items():
        expires = clock.now() + timedelta(hours=1 if live else -1)
        share = {"entity": "customer", "entity_id": record.id, "person_id": people[person], "source": "share"}
        share |= {"source_id": new_id(), "writes": writes, "expires_at": expires}
        connection.execute(insert(schema.access).values(**share))


def _act(world: World, database: ServiceDatabase) -> None:
    """Have the service itself leave a row of the trail for each customer, and one for its own contact."""
    with transaction(database.engine("api"), action="act") as session:
        for record in world.records:
            session.get_one(Customer, record.id).note = "touched"
            blank = dict.fromkeys(("name_en", "mobile", "phone", "email", "wechat", "birthday", "note"), "")
            contact = Contact(id=record.contact, name="李四", email_consent=0, phone_consent=0, **blank)
            at = {"customer_id": record.id, "position": 0, "role": 0, "job_title": "", "department": ""}
            contact.places = [ContactPlace(contact_id=contact.id, **at)]
            session.add(contact)
        session.flush()


def _grant(post: Post, units: list[UUID]) -> Grant:
    rights = {"customer.phones": FieldAccess.EDIT if post.clear else FieldAccess.MASKED}
    return grant(*post.permissions, unit=units[post.unit], governs=[units[g] for g in post.governed], fields=rights)


def row(record: Record) -> dict[str, Any]:
    text_ = search.search_text(names=[record.name], code="")
    grams = sorted(search.bigrams(text_))
    key = search.sort_key(record.name)
    return {
        "id": record.id,
        "name": record.name,
        "text": text_,
        "grams": grams,
        "sort": key,
        "never": NEVER,
        "phones": [PHONE],
    }


LINE = "INSERT INTO product_lines VALUES (:id, :code, '', '', false, 1, now(), now())"
CUSTOMER = """
INSERT INTO customers (id, name, short_name, name_en, credit_code, industry, size, tier, source, division_code, address,
    website, phones, tags, note, custom_fields, search_text, search, created_by, created_at, last_contact_at, sort_name,
    version, updated_at)
VALUES (:id, :name, '', '', '', '', 0, 0, 0, '', '', '', :phones, '{}', '', '{}', :text, array_to_tsvector(:grams),
    :id, now(), :never, :sort, 1, now())
"""
ASSIGNMENT = """
INSERT INTO assignments (id, customer_id, line_id, owner_id, unit_id, since, created_at, last_contact_at, sort_name)
VALUES (:key, :id, :line, :owner, :unit, now(), now(), :never, :sort)
"""
CONTACT = """
INSERT INTO contacts (id, name, name_en, mobile, phone, email, wechat, birthday, email_consent, phone_consent, note,
    version, created_at, updated_at)
VALUES (:id, '李四', '', '', '', '', '', '', 0, 0, '', 1, now(), now())
"""
PLACE = """
INSERT INTO contact_places (id, contact_id, customer_id, position, role, job_title, department)
VALUES (:id, :contact, :customer, :at, 0, '', '')
"""
VISIT = """
INSERT INTO contact_records (id, customer_id, contact_ids, channel, contacted_at, duration_minutes, outcome, two_way,
    summary, next_step, photo_keys, author_id, version, created_at, updated_at)
VALUES (:id, :customer, '{}', 1, now(), 0, 0, true, 'x', '', '{}', :author, 1, now(), now())
"""
