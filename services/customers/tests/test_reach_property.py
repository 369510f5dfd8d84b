"""Reach against a plain oracle: worlds grown at random, and every surface compared for everybody in them.

A comparison is one record, one surface and one person. REACH_EXAMPLES sets how many worlds are grown: a world makes
about two hundred comparisons, and how many there were in all is told at the end of the run.
"""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from chassis.testing import ServiceDatabase
from chassis.testing.rpc import Client, Door

from .conftest import Company
from .making import refusal
from .worlds import AUDIT, CONTACTS, LINES, PHONE, READ, RECORDS, UPDATE, Record, World, build, worlds

EXAMPLES = int(os.environ.get("REACH_EXAMPLES", "25"))
MISSING = {"NOT_FOUND", "NOT_YET_KNOWN"}
LEAST_PER_WORLD = 50
TOLD_EVERY = 100
compared: Counter[str] = Counter()
grown = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def _told(tally: Callable[..., None]) -> Iterator[None]:
    yield
    tally("reach", "comparisons", asked=EXAMPLES * LEAST_PER_WORLD, counted=compared.total(), of=compared)
    assert compared.total() >= EXAMPLES * LEAST_PER_WORLD


@pytest.mark.timeout(0 if EXAMPLES > 1000 else 300)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(world=worlds())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 1000,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_surface_reaches_exactly_what_the_rule_says(
    world: World, company: Company, door: Door, service_database: Callable[[str], ServiceDatabase]
) -> None:
    if next(grown) % TOLD_EVERY == 0:
        print(f"{compared.total():,} comparisons", flush=True)  # noqa: T201 — a long run shows how far it is
    clients = build(world, service_database("customers"), door)
    for person, client in enumerate(clients):
        compare_lists(client, world, person)
        compare_phones(client, world, person)
        compare_contacts(client, world, person)
        compare_visits(client, world, person)
        compare_trail(client, world, person)
        compare_lines(client, world, person)
        for record in world.records:
            compare_single(client, world, person, record)


def compare_lists(client: Client, world: World, person: int) -> None:
    """List, count and search show the readable, no more and no less."""
    if not world.holds(person, READ):
        demand(client, "ListCustomers", {"PERMISSION_MISSING"})
        return
    readable = [record for record in world.records if world.reaches(person, record, READ)]
    wanted = {str(record.id) for record in readable}
    for order in (1, 2, 3):
        found = [customer.id for customer in pages(client, "ListCustomers", "customers", order=order)]
        assert (len(found), set(found)) == (len(wanted), wanted)
        compared["lists"] += len(world.records)
    assert client("CountCustomers").count == len(wanted)
    doubles = {each.customer.id for each in client("FindDuplicates", name="远山机械有限公司").duplicates}
    assert doubles == {str(r.id) for r in readable if r.name == "远山机械"}
    groups = {group.key: {each.id for each in group.customers} for group in client("ListDuplicates").groups}
    alike = {r.name: {str(each.id) for each in readable if each.name == r.name} for r in readable}
    assert groups == {name: ids for name, ids in alike.items() if len(ids) > 1}
    hits = client("SearchCustomers", query="电子").customers
    assert {customer.id for customer in hits} == {str(r.id) for r in readable if "电子" in r.name}
    compared["counts and searches"] += 2 * len(world.records)


def compare_phones(client: Client, world: World, person: int) -> None:
    """A phone is read as the post that reaches it says; who reads one in part anywhere finds nothing by phones."""
    if not world.holds(person, READ):
        return
    by_phone: dict[str, Any] = {"filter": {"phone": PHONE}}
    if not world.finds(person):
        for name in ("ListCustomers", "CountCustomers"):
            demand(client, name, {"FIELD_NOT_READABLE"}, **by_phone)
    listed = client("ListCustomers").customers
    records = {str(record.id): record for record in world.records}
    for customer in listed:
        assert list(customer.phones) == [PHONE if world.clear(person, records[customer.id]) else MASKED]
    if world.finds(person):
        assert client("CountCustomers", **by_phone).count == len(listed)
    clear = {str(record.id) for record in world.records if world.reaches(person, record, READ)}
    clear &= {str(record.id) for record in world.records if world.clear(person, record)}
    for query in (PHONE, PHONE[-4:]):
        assert {customer.id for customer in client("SearchCustomers", query=query).customers} == clear
    compared["phones"] += 4 * len(world.records)


MASKED = "+8621****5678"


def compare_contacts(client: Client, world: World, person: int) -> None:
    """A contact is read through any customer they are at, and shows those that are read and no other."""
    if not world.holds(person, CONTACTS):
        demand(client, "ListContacts", {"PERMISSION_MISSING"})
        return
    wanted = {
        str(contact): {str(place.id) for place in places if world.reaches(person, place, CONTACTS)}
        for contact, places in world.contacts.items()
    }
    found = {
        contact.id: {place.customer_id for place in contact.places}
        for contact in pages(client, "ListContacts", "contacts")
    }
    assert found == {contact: places for contact, places in wanted.items() if places}
    for contact, places in wanted.items():
        demand(client, "GetContact", {""} if places else MISSING, id=contact)
    compared["contacts"] += 2 * len(world.contacts)


def compare_visits(client: Client, world: World, person: int) -> None:
    """A contact record is read by whoever reads its customer under the record's own permission."""
    if not world.holds(person, RECORDS):
        demand(client, "ListContactRecords", {"PERMISSION_MISSING"})
        return
    wanted = {str(r.visit) for r in world.records if world.reaches(person, r, RECORDS)}
    assert {found.id for found in pages(client, "ListContactRecords", "contact_records")} == wanted
    for record in world.records:
        reached = str(record.visit) in wanted
        demand(client, "GetContactRecord", {""} if reached else MISSING, id=str(record.visit))
        narrowed = client("ListContactRecords", customer_id=str(record.id)).contact_records
        assert [found.id for found in narrowed] == [str(record.visit)] * reached
    compared["contact records"] += 3 * len(world.records)


def compare_trail(client: Client, world: World, person: int) -> None:
    """The trail shows what was done to records that one governs or owns, and to their contacts; shares do not count."""
    if not world.holds(person, AUDIT):
        demand(client, "ListAudit", {"PERMISSION_MISSING"})
        return
    wanted = [record for record in world.records if world.reaches(person, record, AUDIT, shares=False)]
    for resource, ids in (("customer", [r.id for r in wanted]), ("contact", [r.contact for r in wanted])):
        found = [entry.resource_id for entry in pages(client, "ListAudit", "entries", resource=resource)]
        assert sorted(found) == sorted(map(str, ids))
        compared["trail"] += len(world.records)


def compare_lines(client: Client, world: World, person: int) -> None:
    """Lines are the whole company's, for whoever may read lines at all."""
    if world.holds(person, LINES):
        assert len(client("ListProductLines").product_lines) == 2
    else:
        demand(client, "ListProductLines", {"PERMISSION_MISSING"})
    compared["lines"] += 2


def compare_single(client: Client, world: World, person: int, record: Record) -> None:
    """Reading one, its overview and what hangs on it, and changing it answer as the rule says."""
    readable = world.reaches(person, record, READ)
    if world.holds(person, READ):
        for name in ("GetCustomer", "GetCustomerOverview"):
            demand(client, name, {""} if readable else MISSING, id=str(record.id))
        for name in ("ListShares", "ListAssignmentHistory"):
            demand(client, name, {""} if readable else MISSING, customer_id=str(record.id))
        compared["single reads"] += 4
    if world.holds(person, UPDATE):
        changed = world.reaches(person, record, UPDATE, writes=True)
        wanted = ({"VERSION_MISMATCH"} if changed else {"OUT_OF_REACH"}) if readable else MISSING
        demand(client, "UpdateCustomer", wanted, customer={"id": str(record.id), "etag": "0", "note": "x"})
        compared["changes"] += 1


def demand(client: Client, name: str, wanted: Iterable[str], **asked: Any) -> None:
    assert refusal(lambda: client(name, **asked)) in wanted


def pages(client: Client, name: str, field: str, **asked: Any) -> list[Any]:
    """All of a list, by pages of two."""
    found: list[Any] = []
    token = ""
    while True:
        page = client(name, page_size=2, page_token=token, **asked)
        found += getattr(page, field)
        token = page.next_page_token
        if not token:
            return found
