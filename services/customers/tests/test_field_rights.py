"""Field rights come from the post that reaches the record: clear here does not make clear there."""

from collections.abc import Callable

import pytest

from chassis.caller import FieldAccess
from chassis.testing.rpc import Client, grant

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import refusal, refused

PHONE, MASKED = "+8613812345678", "+86138****5678"
HIDING = {**CLEAR, "customer.phones": FieldAccess.MASKED, "contact.mobile": FieldAccess.MASKED}


@pytest.fixture
def mixed(company: Company, staff: Staff) -> Client:
    """A manager who reads numbers in clear in Hangzhou and in part in Shenzhen."""
    posts = [(company.hangzhou, CLEAR), (company.shenzhen, HIDING)]
    return staff.with_(*(grant(*ALL, unit=at, governs=[at], fields=f) for at, f in posts), home=company.hangzhou)


READS: list[Callable[[Client, str], str]] = [
    lambda client, id_: client("GetCustomer", id=id_).phones[0],
    lambda client, id_: next(c for c in client("ListCustomers").customers if c.id == id_).phones[0],
    lambda client, id_: next(c for c in client("SearchCustomers", query="远山").customers if c.id == id_).phones[0],
    lambda client, id_: client("GetCustomerOverview", id=id_).customer.phones[0],
    lambda client, id_: client("GetCustomerOverview", id=id_).contacts[0].mobile,
    lambda client, id_: client("ListContacts", customer_id=id_).contacts[0].mobile,
]


@pytest.mark.parametrize("read", READS)
def test_each_surface_shows_a_number_as_the_post_there_may_read_it(
    company: Company, staff: Staff, mixed: Client, read: Callable[[Client, str], str]
) -> None:
    for team, shown in (("h1", PHONE), ("s1", MASKED)):
        seller = staff.seller(team)
        customer = making.customer(seller, company, phones=[PHONE], allow_duplicate_phone=True)
        making.contact(seller, customer)
        assert read(mixed, customer.id) == shown


def test_a_number_that_is_masked_somewhere_filters_nowhere(mixed: Client) -> None:
    assert refusal(lambda: mixed("ListCustomers", filter={"phone": PHONE})) == "FIELD_NOT_READABLE"


def test_a_number_is_changed_where_the_post_there_may_edit_it(company: Company, staff: Staff, mixed: Client) -> None:
    here, there = (
        making.customer(staff.seller(team), company, phones=[PHONE], allow_duplicate_phone=True)
        for team in ("h1", "s1")
    )
    changed = {"etag": "*", "phones": ["+8657112345678"]}
    assert mixed("UpdateCustomer", customer={"id": here.id, **changed}).phones == ["+8657112345678"]
    refusal = refused(lambda: mixed("UpdateCustomer", customer={"id": there.id, **changed}))
    assert (refusal.reason, refusal.fields) == ("FIELD_NOT_READABLE", ["customer.phones"])


def test_masked_phones_sent_back_stay(company: Company, staff: Staff, mixed: Client) -> None:
    alike = ["+8657188886666", "+8657177776666"]
    customer = making.customer(staff.seller("s1"), company, phones=alike)
    shown = mixed("GetCustomer", id=customer.id)
    assert shown.phones == ["+86571****6666"] * 2
    given = {"id": customer.id, "etag": "*", "name": "改名", "phones": shown.phones}
    assert mixed("UpdateCustomer", customer=given).name == "改名"
    assert staff.director()("GetCustomer", id=customer.id).phones == alike


def test_the_trail_keeps_to_it_too(company: Company, staff: Staff, mixed: Client) -> None:
    customer = making.customer(staff.seller("s1"), company, phones=[PHONE])
    (row,) = mixed("ListAudit", resource="customer", resource_id=customer.id).entries
    assert list(row.after["phones"]) == [MASKED]
