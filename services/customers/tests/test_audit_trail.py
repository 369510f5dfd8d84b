"""The audit trail of customers: who may search what, what it shows of personal values, and what erasing leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock, seals
from chassis.caller import FieldAccess
from chassis.database import transaction
from chassis.testing.rpc import Client, Refused, grant
from chassis.verifying import Walk
from customers.contact import key_model
from customers.contact.model import Contact
from tongxiao.common.v1 import audit_pb2
from tongxiao.common.v1.permission_pb2 import Permission

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import rows

AUDIT: int = Permission.PERMISSION_AUDIT_READ
MOBILE = "+8613812345678"


def entries(client: Client, **asked: Any) -> list[audit_pb2.AuditEntry]:
    """All of a search, by small pages."""
    found: list[audit_pb2.AuditEntry] = []
    token = ""
    while True:
        page = client("ListAudit", page_size=2, page_token=token, **asked)
        found += page.entries
        token = page.next_page_token
        if not token:
            return found


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def after_of(client: Client, resource: str, resource_id: str) -> dict[str, Any]:
    (entry,) = entries(client, resource=resource, resource_id=resource_id)
    found: dict[str, Any] = MessageToDict(entry.after)
    return found


def seal(company: Company) -> None:
    with psycopg.connect(company.database.url("relay").replace("+psycopg", ""), autocommit=True) as connection:
        seals.seal(connection)


def wrong(company: Company) -> list[str]:
    engine = company.database.engine("worker").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        walk = Walk(connection)
        return [str(finding) for finding in (*walk.stretch(most_rows=1000), *walk.unsealed())]


def test_a_manager_finds_who_changed_what_from_what(company: Company, staff: Staff) -> None:
    seller, manager = staff.seller(), staff.manager()
    customer = making.customer(seller, company, note="旧", tier=1)
    changed = {"id": customer.id, "etag": customer.etag, "note": "新", "tier": 2}
    seller("UpdateCustomer", customer=changed)
    newest, oldest = entries(manager, resource="customer", resource_id=customer.id)
    assert (newest.action, oldest.action) == ("UpdateCustomer", "CreateCustomer")
    assert (newest.actor_id, newest.actor_name) == (str(seller.person_id), "张三")
    assert MessageToDict(newest.before) == {"note": "旧", "tier": "CUSTOMER_TIER_A"}
    assert MessageToDict(newest.after) == {"note": "新", "tier": "CUSTOMER_TIER_B"}
    assert list(newest.unit_ids) == [str(company.team["h1"])]
    assert len(newest.post_ids) == 1


def test_one_branch_finds_nothing_of_another(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("s1"), company)
    contact = making.contact(staff.director(), customer)
    record = making.record(staff.director(), customer)
    for made in (customer, contact, record):
        assert entries(staff.manager("hangzhou"), resource_id=made.id) == []
        assert entries(staff.manager("shenzhen"), resource_id=made.id)


def test_contacts_records_and_shares_are_found_by_their_customers_units(company: Company, staff: Staff) -> None:
    seller, manager = staff.seller(), staff.manager()
    customer = making.customer(seller, company)
    making.contact(seller, customer)
    making.record(seller, customer)
    share = {"person_id": str(company.hire(company.shenzhen)), "level": "SHARE_LEVEL_READ"}
    made = seller("CreateShare", share={**share, "customer_id": customer.id})
    seller("DeleteShare", customer_id=customer.id, id=made.id)
    found = {(entry.resource, entry.action) for entry in entries(manager)}
    assert {("contact", "CreateContact"), ("contact_record", "CreateContactRecord")} <= found
    assert {("share", "CreateShare"), ("share", "DeleteShare"), ("contact_place", "CreateContact")} <= found


def test_both_branches_find_that_a_customer_went_from_one_to_the_other(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller(), company)
    other = company.hire(company.team["s1"])
    asked = {"id": customer.id, "line_id": str(company.line), "owner_id": str(other), "etag": customer.etag}
    staff.director()("ReassignCustomer", **asked)
    for branch in ("hangzhou", "shenzhen"):
        (found,) = entries(staff.manager(branch), action="ReassignCustomer", resource="assignment")
        assert MessageToDict(found.after)["ownerId"] == str(other)


def test_one_finds_ones_own_records_but_not_a_colleagues(company: Company, staff: Staff) -> None:
    mine, theirs = making.customer(seller := staff.seller(), company), making.customer(staff.seller(), company)
    assert {entry.resource_id for entry in entries(seller, resource="customer")} == {mine.id}
    assert theirs.id not in {entry.resource_id for entry in entries(seller)}


def test_what_belongs_to_the_whole_company_is_found_by_who_governs_it(company: Company, staff: Staff) -> None:
    line = staff.director()("CreateProductLine", product_line={"code": "L9", "name": "备件"})
    assert len(entries(staff.director(), resource_id=line.id)) == 1
    assert entries(staff.manager(), resource_id=line.id) == []


def test_each_filter_narrows(company: Company, staff: Staff) -> None:
    seller, director = staff.seller(), staff.director()
    before = Timestamp()
    before.FromDatetime(clock.now() - timedelta(minutes=1))
    customer = making.customer(seller, company)
    making.contact(director, customer)
    assert {entry.resource for entry in entries(director, resource="contact")} == {"contact"}
    assert {entry.action for entry in entries(director, action="CreateContact")} == {"CreateContact"}
    assert {entry.actor_id for entry in entries(director, actor_id=str(seller.person_id))} == {str(seller.person_id)}
    assert entries(director, to_time=before) == []
    times = [entry.time.ToNanoseconds() for entry in entries(director, from_time=before)]
    assert len(times) == len(rows(company, "SELECT 1 FROM audit"))
    assert times == sorted(times, reverse=True)


def test_a_page_token_is_bound_to_its_search(company: Company, staff: Staff) -> None:
    director = staff.director()
    making.contact(director, making.customer(director, company))
    token = director("ListAudit", page_size=1).next_page_token
    assert token
    other = {"page_size": 1, "page_token": token, "resource": "contact"}
    assert refusal(lambda: director("ListAudit", **other)) == "PAGE_TOKEN_INVALID"


def test_a_personal_value_is_shown_as_field_rights_say(company: Company, staff: Staff) -> None:
    seller, team = staff.seller(), company.team["h1"]
    contact = making.contact(seller, making.customer(seller, company))
    masking = {**CLEAR, "contact.mobile": FieldAccess.MASKED, "contact.email": FieldAccess.HIDDEN}
    masked = staff.with_(grant(*ALL, unit=team, governs=[team], fields=masking), home=team)
    clear = after_of(staff.manager(), "contact", contact.id)
    assert (clear["name"], clear["mobile"]) == ("李四", MOBILE)
    shown = after_of(masked, "contact", contact.id)
    assert (shown["name"], shown["mobile"]) == ("李四", "+86138****5678")


def test_who_may_read_the_trail_but_no_customers_sees_that_they_changed_not_what(
    company: Company, staff: Staff
) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company, tier=1)
    contact = making.contact(seller, customer)
    auditor = staff.with_(grant(AUDIT, unit=company.hq, governs=[company.hq], fields=CLEAR), home=company.hq)
    shown = after_of(auditor, "contact", contact.id) | after_of(auditor, "customer", customer.id)
    assert {shown[name] for name in ("name", "mobile", "tier", "createdBy")} == {"****"}
    (assigned,) = entries(auditor, resource="assignment", action="CreateCustomer")
    assert MessageToDict(assigned.after)["ownerId"] == "****"


def test_reading_customers_here_and_the_trail_there_shows_no_values_there(company: Company, staff: Staff) -> None:
    there = making.customer(staff.seller("s1"), company)
    branch = company.shenzhen
    both = (grant(*ALL, unit=company.hangzhou, governs=[company.hangzhou]), grant(AUDIT, unit=branch, governs=[branch]))
    shown = after_of(staff.with_(*both, home=company.hangzhou), "customer", there.id)
    assert shown["name"] == "****"


def test_a_masked_number_of_a_customer_is_masked_in_the_trail(company: Company, staff: Staff) -> None:
    seller, team = staff.seller(), company.team["h1"]
    customer = making.customer(seller, company, phones=["+862112345678"])
    fields = {"customer.phones": FieldAccess.MASKED}
    masked = staff.with_(grant(*ALL, unit=team, governs=[team], fields=fields), home=team)
    assert after_of(masked, "customer", customer.id)["phones"] == ["+8621****5678"]


def test_a_destroyed_key_erases_the_values_and_the_trail_still_verifies(company: Company, staff: Staff) -> None:
    seller, manager = staff.seller(), staff.manager()
    customer = making.customer(seller, company)
    contact, other = making.contact(seller, customer), making.contact(seller, customer, name="王五", mobile="")
    seal(company)
    with transaction(company.database.engine("worker"), action="erase") as session:
        key_model.destroy(session, UUID(contact.id))
    assert after_of(manager, "contact", contact.id)["mobile"] == {"erased": True}
    assert after_of(manager, "contact", other.id)["name"] == "王五"
    assert wrong(company) == []


def test_blanking_after_the_key_is_destroyed_keeps_nothing(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    contact = making.contact(seller, making.customer(seller, company))
    with transaction(company.database.engine("worker"), action="erase") as session:
        key_model.destroy(session, UUID(contact.id))
        session.get_one(Contact, UUID(contact.id)).mobile = ""
    (row,) = rows(company, "SELECT action, actor_id, before, after FROM audit WHERE action = 'erase'")
    assert (row.actor_id, row.before, row.after) == (None, {"mobile": {"personal": True}}, {"mobile": ""})


def test_keys_lie_wrapped_and_differ(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    contacts = [making.contact(seller, customer, mobile="") for _ in range(2)]
    kept = rows(company, "SELECT contact_id, wrapped FROM contact_keys")
    assert {str(row.contact_id) for row in kept} == {contact.id for contact in contacts}
    with transaction(company.database.engine("api")) as session:
        keys = key_model.found(session, {row.contact_id for row in kept})
    assert len(set(keys.values())) == 2
    assert not any(keys[row.contact_id] in bytes(row.wrapped) for row in kept)


def test_only_who_governs_the_company_verifies_and_gets_the_row_named(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller(), company)
    seal(company)
    director = staff.director()
    assert not director("VerifyAudit", anchors={}).findings
    with company.database.admin() as superuser:
        superuser.execute("UPDATE audit SET origin = 'x' WHERE resource = 'customer'")
    answer = director("VerifyAudit", anchors={})
    assert [(found.fault, found.resource_id) for found in answer.findings] == [
        (audit_pb2.AUDIT_FAULT_ROW_EDITED, customer.id)
    ]
    assert answer.complete
    assert refusal(lambda: staff.manager()("VerifyAudit")) == "COMPANY_WIDE_ONLY"


@pytest.mark.parametrize(
    ("seal_number", "fault"),
    [(1, audit_pb2.AUDIT_FAULT_CHAIN_REWRITTEN), (9, audit_pb2.AUDIT_FAULT_TAIL_CUT)],
)
def test_the_chain_is_compared_with_what_another_service_keeps(
    company: Company, staff: Staff, seal_number: int, fault: int
) -> None:
    making.customer(staff.seller(), company)
    seal(company)
    kept = {"anchors": [{"seal": seal_number, "hash": b"x" * 32}]}
    assert [found.fault for found in staff.director()("VerifyAudit", anchors=kept).findings] == [fault]


def test_a_chain_that_is_compared_with_nothing_says_so(company: Company, staff: Staff) -> None:
    found = staff.director()("VerifyAudit").findings
    assert [each.fault for each in found] == [audit_pb2.AUDIT_FAULT_ANCHORS_MISSING]
