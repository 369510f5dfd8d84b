"""Customers: created, changed, deleted, restored; each within reach and exactly once."""

from functools import partial

import pytest
from sqlalchemy import text

from chassis import search
from chassis.ids import new_id
from chassis.testing.rpc import Refused

from . import making
from .conftest import Company, Staff
from .making import rows


def test_a_seller_creates_a_customer_and_owns_it(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    assert [a.owner_id for a in customer.assignments] == [str(seller.person_id)]
    assert customer.assignments[0].unit_id == str(company.team["h1"])
    assert seller("GetCustomer", id=customer.id) == customer


def test_creating_leaves_one_event_and_an_audit_row(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller(), company)
    assert [row.type for row in rows(company, "SELECT type FROM outbox")] == ["customer.changed.v1"]
    audited = rows(
        company, "SELECT action FROM audit WHERE resource = 'customer' AND resource_id = :id", id=customer.id
    )
    assert [row.action for row in audited] == ["CreateCustomer"]


def test_the_same_creation_again_answers_the_same_customer(company: Company, staff: Staff) -> None:
    seller, id_ = staff.seller(), str(new_id())
    assert making.customer(seller, company, id=id_) == making.customer(seller, company, id=id_)
    assert len(rows(company, "SELECT 1 FROM customers")) == 1


def test_another_creation_under_the_same_id_is_refused(company: Company, staff: Staff) -> None:
    seller, id_ = staff.seller(), str(new_id())
    making.customer(seller, company, id=id_)
    with pytest.raises(Refused) as refused:
        making.customer(seller, company, id=id_, name="另一家公司")
    assert refused.value.reason == "ALREADY_EXISTS"


def test_an_id_taken_beyond_reach_says_no_more(company: Company, staff: Staff) -> None:
    id_ = str(new_id())
    making.customer(staff.seller("s1"), company, id=id_)
    with pytest.raises(Refused) as refused:
        making.customer(staff.seller("h1"), company, id=id_)
    assert refused.value.reason == "ID_TAKEN"


@pytest.mark.parametrize(
    ("reason", "field", "owner", "unit"),
    [
        ("OUT_OF_REACH", "assignments[0].owner_id", "h1", "h1"),
        ("OUT_OF_REACH", "assignments[0].owner_id", "s1", ""),
        ("OUT_OF_REACH", "assignments[0].unit_id", "s1", "s1"),
        ("OWNER_NOT_IN_UNIT", "assignments[0].unit_id", "h1", "s1"),
        ("OWNER_UNKNOWN", "assignments[0].owner_id", "", ""),
    ],
)
def test_a_refused_assignment_names_its_owner_or_its_unit(
    company: Company, staff: Staff, reason: str, field: str, owner: str, unit: str
) -> None:
    named = company.hire(company.team[owner]) if owner else "0190a8b2-0000-7000-8000-000000000001"
    assigned = {"line_id": str(company.line), "owner_id": str(named)}
    assigned |= {"unit_id": str(company.team[unit])} if unit else {}
    refusal = making.refused(lambda: making.customer(staff.seller("h1"), company, assignments=[assigned]))
    assert (refusal.reason, refusal.fields) == (reason, [f"customer.{field}"])


def test_of_several_assignments_the_refused_one_is_named(company: Company, staff: Staff) -> None:
    line, unknown = str(company.line), "0190a8b2-0000-7000-8000-000000000001"
    for second, reason in ((unknown, "LINE_UNKNOWN"), (line, "LINE_TWICE")):
        wanted = [{"line_id": line}, {"line_id": second}]
        refusal = making.refused(partial(making.customer, staff.seller(), company, assignments=wanted))
        assert (refusal.reason, refusal.fields) == (reason, ["customer.assignments[1].line_id"])


def test_another_branchs_customer_is_not_found(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("s1"), company)
    for client in (staff.seller("h1"), staff.manager("hangzhou")):
        with pytest.raises(Refused) as refused:
            client("GetCustomer", id=customer.id)
        assert refused.value.reason in ("NOT_FOUND", "NOT_YET_KNOWN")


def test_a_manager_changes_what_their_branch_owns(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("h1"), company)
    changed = staff.manager()(
        "UpdateCustomer",
        customer={"id": customer.id, "etag": customer.etag, "name": "新名称"},
        update_mask={"paths": ["name"]},
    )
    assert (changed.name, changed.etag) == ("新名称", "2")


def test_a_stale_etag_is_refused(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    with pytest.raises(Refused) as refused:
        seller("UpdateCustomer", customer={"id": customer.id, "etag": "7", "name": "x"})
    assert refused.value.reason == "VERSION_MISMATCH"


def test_deleted_customers_leave_lists_and_come_back(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    seller("DeleteCustomer", id=customer.id, etag=customer.etag)
    assert not seller("ListCustomers").customers
    seller("RestoreCustomer", id=customer.id)
    assert [found.id for found in seller("ListCustomers").customers] == [customer.id]


def test_a_phone_given_twice_is_kept_once(company: Company, staff: Staff) -> None:
    made = making.customer(staff.seller("h1"), company, phones=["13812345678", "+8613812345678"])
    assert list(made.phones) == ["+8613812345678"]


def test_lists_are_narrowed_by_tag_and_phone(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    found = making.customer(seller, company, tags=["重点", "华东"], phones=["+862112345678"])
    making.customer(seller, company, tags=["华南"])
    for narrowed in ({"tag": "华东"}, {"phone": "021-12345678"}):
        assert [customer.id for customer in seller("ListCustomers", filter=narrowed).customers] == [found.id]
        assert seller("CountCustomers", filter=narrowed).count == 1


def test_a_wrong_credit_code_is_refused(company: Company, staff: Staff) -> None:
    with pytest.raises(Refused) as refused:
        making.customer(staff.seller(), company, credit_code="91330100MA2CFJ8N7B")
    assert (refused.value.reason, refused.value.fields) == ("CREDIT_CODE_INVALID", ["credit_code"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("acme.cn", "https://acme.cn"),
        ("www.acme.com.cn:8080/about", "https://www.acme.com.cn:8080/about"),
        (" http://acme.cn?a=b ", "http://acme.cn?a=b"),
        ("远山.中国", "https://远山.中国"),
        ("", ""),
    ],
)
def test_a_website_is_an_address_of_the_web(company: Company, staff: Staff, given: str, kept: str) -> None:
    assert making.customer(staff.seller(), company, website=given).website == kept


@pytest.mark.parametrize(
    "given", ["javascript:alert(1)", "ftp://acme.cn", "没有网站", "http://", "https://a b.cn", "localhost"]
)
def test_what_is_no_website_is_refused(company: Company, staff: Staff, given: str) -> None:
    answer = making.refused(lambda: making.customer(staff.seller(), company, website=given))
    assert (answer.reason, answer.fields) == ("WEBSITE_INVALID", ["customer.website"])


def test_two_characters_of_a_name_find_it(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    making.customer(seller, company, name="宁波甬江电子")
    for query in ("远山", "ysjx", "山机"):
        assert [found.id for found in seller("SearchCustomers", query=query).customers] == [customer.id]


def test_pages_follow_each_other_without_gap_or_repeat(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    wanted = [making.customer(seller, company, name=f"客户{n}").id for n in range(7)]
    found, token = [], ""
    while True:
        page = seller("ListCustomers", page_size=3, page_token=token)
        found += [customer.id for customer in page.customers]
        token = page.next_page_token
        if not token:
            break
    assert found == wanted[::-1]


def test_a_page_token_of_somebody_else_is_refused(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    for n in range(3):
        making.customer(seller, company, name=f"客户{n}")
    token = seller("ListCustomers", page_size=1).next_page_token
    with pytest.raises(Refused) as refused:
        staff.seller()("ListCustomers", page_size=1, page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_a_filter_is_met_however_far_apart_the_customers_that_meet_it(
    company: Company, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STRETCH", 3)
    monkeypatch.setattr(search, "STRETCHES", 2)
    sellers = [staff.seller("h1"), staff.seller("h2")]
    made = [making.customer(sellers[n % 2], company, tier=1 if n % 5 == 0 else 2) for n in range(22)]
    manager, token, seen, rare = staff.manager("hangzhou"), "", [], {"tiers": [1]}
    while True:
        page = manager("ListCustomers", filter=rare, page_size=2, page_token=token)
        seen += [customer.id for customer in page.customers]
        if not (token := page.next_page_token):
            break
    assert seen == [customer.id for customer in reversed(made[::5])]


def test_customers_of_several_lines_are_listed_once_each_and_to_the_last(company: Company, staff: Staff) -> None:
    with company.database.engine("owner").begin() as connection:
        statement = "INSERT INTO product_lines VALUES (:id, 'L2', '耗材', '', false, 1, now(), now())"
        connection.execute(text(statement), {"id": (second := new_id())})
    owners = [staff.seller("h1"), staff.seller("h2")]
    manager = staff.manager("hangzhou")
    lines = [{"line_id": str(company.line)}, {"line_id": str(second)}]
    made = []
    for n in range(9):
        both = [line | {"owner_id": str(owners[n * k % 2].person_id)} for k, line in enumerate(lines)]
        made.append(making.customer(manager, company, assignments=both).id)
    token, seen = "", []
    while True:
        page = manager("ListCustomers", page_size=2, page_token=token)
        seen += [customer.id for customer in page.customers]
        if not (token := page.next_page_token):
            break
    assert seen == made[::-1]
