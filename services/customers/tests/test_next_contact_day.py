"""The next contact day of a customer: who says it, and what comes back when that falls away."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.testing.rpc import Client

from . import making
from .conftest import Company, Staff
from .making import day, refusal, refused, rows


def ago(days: int) -> Any:
    return clock.stamp(clock.now() - timedelta(days=days))


def test_an_older_record_sent_later_leaves_the_next_day_that_a_newer_one_set(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    making.record(seller, customer, contact_time=ago(1), next_contact_date=day(5))
    making.record(seller, customer, contact_time=ago(3), next_contact_date=day(9))
    making.record(seller, customer)
    assert seller("GetCustomer", id=customer.id).next_contact_date == day(5)


def test_the_next_day_goes_with_the_record_that_set_it(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    older = making.record(seller, customer, contact_time=ago(3), next_contact_date=day(9))
    newer = making.record(seller, customer, contact_time=ago(1), next_contact_date=day(5))
    seller("DeleteContactRecord", id=newer.id, etag="*")
    assert seller("GetCustomer", id=customer.id).next_contact_date == day(9)
    changed = {"id": older.id, "etag": "*"}
    seller("UpdateContactRecord", contact_record=changed, update_mask={"paths": ["next_contact_date"]})
    assert seller("GetCustomer", id=customer.id).next_contact_date == ""


def test_a_touch_with_a_next_day_is_one_version_of_the_customer(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer, two_way=True, next_contact_date=day(5))
    told = "SELECT count(*) FROM outbox WHERE type = 'customer.changed.v1'"
    assert (seller("GetCustomer", id=customer.id).etag, making.rows(company, told)[0].count) == ("2", 2)
    seller("DeleteContactRecord", id=record.id, etag="*")
    assert (seller("GetCustomer", id=customer.id).etag, making.rows(company, told)[0].count) == ("3", 3)


def test_a_next_day_that_somebody_gave_the_customer_stays(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer, next_contact_date=day(5))
    seller("UpdateCustomer", customer={"id": customer.id, "etag": "*", "next_contact_date": day(7)})
    seller("UpdateContactRecord", contact_record={"id": record.id, "etag": "*", "summary": "改"})
    seller("DeleteContactRecord", id=record.id, etag="*")
    assert seller("GetCustomer", id=customer.id).next_contact_date == day(7)


def next_day(client: Client, customer: Any) -> str:
    found: str = client("GetCustomer", id=customer.id).next_contact_date
    return found


def give(client: Client, customer: Any, day_: str) -> None:
    changed = {"id": customer.id, "etag": "*", "next_contact_date": day_}
    client("UpdateCustomer", customer=changed, update_mask={"paths": ["next_contact_date"]})


@pytest.mark.parametrize("given", [7, None])
def test_the_day_that_a_record_took_the_place_of_comes_back(company: Company, staff: Staff, given: int | None) -> None:
    seller, stood = staff.seller(), "" if given is None else day(given)
    customer = making.customer(seller, company, next_contact_date=day(3))
    first = making.record(seller, customer, contact_time=ago(2), next_contact_date=day(4))
    give(seller, customer, stood)
    second = making.record(seller, customer, contact_time=ago(1), next_contact_date=day(5))
    third = making.record(seller, customer, next_contact_date=day(6))
    days = []
    for record in (third, second, first):
        seller("DeleteContactRecord", id=record.id, etag="*")
        days.append(next_day(seller, customer))
    assert days == [day(5), stood, stood]


def test_the_day_of_before_comes_back_through_records_deleted_in_any_order(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company, next_contact_date=day(3))
    older = making.record(seller, customer, contact_time=ago(2), next_contact_date=day(4))
    newer = making.record(seller, customer, contact_time=ago(1), next_contact_date=day(5))
    seller("DeleteContactRecord", id=older.id, etag="*")
    assert next_day(seller, customer) == day(5)
    seller("DeleteContactRecord", id=newer.id, etag="*")
    assert next_day(seller, customer) == day(3)


def test_a_corrected_next_day_takes_the_place_of_one_that_somebody_gave(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer, next_contact_date=day(5))
    give(seller, customer, day(7))
    seller("UpdateContactRecord", contact_record={"id": record.id, "etag": "*", "next_contact_date": day(6)})
    assert next_day(seller, customer) == day(6)
    seller("DeleteContactRecord", id=record.id, etag="*")
    assert next_day(seller, customer) == day(7)


def test_a_deleted_record_is_restored_by_its_author_and_counts_again(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company, next_contact_date=day(3))
    record = making.record(seller, customer, next_contact_date=day(5))
    assert refusal(lambda: seller("RestoreContactRecord", id=record.id)) == "NOT_DELETED"
    seller("DeleteContactRecord", id=record.id, etag="*")
    gone = seller("GetCustomer", id=customer.id)
    assert (gone.HasField("last_contact_time"), gone.next_contact_date) == (False, day(3))
    assert refusal(lambda: staff.manager()("RestoreContactRecord", id=record.id)) == "NOT_AUTHOR"
    assert refusal(lambda: staff.seller("s1")("RestoreContactRecord", id=record.id)) in ("NOT_FOUND", "NOT_YET_KNOWN")
    back = seller("RestoreContactRecord", id=record.id)
    assert (back.summary, back.touch, back.etag) == (record.summary, True, "3")
    after = seller("GetCustomer", id=customer.id)
    assert (after.last_contact_time, after.next_contact_date) == (record.contact_time, day(5))
    facts = rows(company, "SELECT type FROM outbox WHERE type LIKE 'contact_record.%' ORDER BY id")
    assert [row.type.split(".")[1] for row in facts] == ["logged", "retracted", "logged"]


def test_a_restored_record_leaves_the_day_that_somebody_gave_meanwhile(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer, next_contact_date=day(5))
    seller("DeleteContactRecord", id=record.id, etag="*")
    give(seller, customer, day(7))
    seller("RestoreContactRecord", id=record.id)
    assert next_day(seller, customer) == day(7)


def test_a_record_of_a_customer_that_is_deleted_is_not_restored(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer)
    seller("DeleteContactRecord", id=record.id, etag="*")
    seller("DeleteCustomer", id=customer.id, etag="*")
    assert refusal(lambda: seller("RestoreContactRecord", id=record.id)) in ("CUSTOMER_UNKNOWN", "NOT_YET_KNOWN")


def test_a_next_day_before_the_contact_is_refused_by_the_days_of_the_unit(company: Company, staff: Staff) -> None:
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE org_units SET time_zone = 'Pacific/Kiritimati'"))
    seller = staff.seller()
    customer = making.customer(seller, company)
    there = clock.today("Pacific/Kiritimati")
    yesterday = (there - timedelta(days=1)).isoformat()
    answer = refused(lambda: making.record(seller, customer, next_contact_date=yesterday))
    assert (answer.reason, answer.fields) == ("DATE_IN_PAST", ["contact_record.next_contact_date"])
    assert answer.metadata == {"date": yesterday, "earliest": there.isoformat()}
    assert making.record(seller, customer, next_contact_date=there.isoformat()).id
    assert making.record(seller, customer, contact_time=ago(3), next_contact_date=yesterday).id
