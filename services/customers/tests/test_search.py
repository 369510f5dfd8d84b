"""Searching: by names, codes, initials, contacts and phones read in clear, the best first, within reach."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from chassis.caller import FieldAccess
from chassis.testing.rpc import Client, grant
from customers import search
from customers.customer import common_queries, match_queries
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ, PERMISSION_CUSTOMER_READ

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import code, refused

LANDLINE, MOBILE = "0571-88886666", "+8613812345678"


def found(client: Client, query: str, **asked: Any) -> list[str]:
    """The names of what a query finds, over all pages."""
    names: list[str] = []
    token = ""
    while True:
        page = client("SearchCustomers", query=query, page_token=token, **asked)
        names += [customer.name for customer in page.customers]
        if not (token := page.next_page_token):
            return names


@pytest.mark.parametrize(
    "query",
    ["0571-88886666", "0571 8888 6666", "057188886666", "+86 571-8888-6666", "＋８６57188886666", "008657188886666"],
)
def test_a_phone_is_found_in_any_usual_spelling(company: Company, staff: Staff, query: str) -> None:
    seller = staff.seller()
    making.customer(seller, company, name="远山机械", phones=[MOBILE, LANDLINE])
    making.customer(seller, company, name="甬江电子", phones=["0571-11116666"])
    assert found(seller, query) == ["远山机械"]


@pytest.mark.parametrize(
    ("query", "names"), [("5678", ["远山机械"]), ("2345678", ["远山机械"]), ("678", []), ("1234", [])]
)
def test_four_digits_are_enough_of_a_phones_end(company: Company, staff: Staff, query: str, names: list[str]) -> None:
    seller = staff.seller()
    making.customer(seller, company, name="远山机械", phones=[LANDLINE, MOBILE])
    assert found(seller, query) == names


def test_a_phone_read_in_part_finds_nothing(company: Company, staff: Staff) -> None:
    for team in ("h1", "s1"):
        making.customer(staff.seller(team), company, name=team, phones=[MOBILE], allow_duplicate_phone=True)
    masked = {**CLEAR, "customer.phones": FieldAccess.MASKED}
    posts = [(company.hangzhou, CLEAR), (company.shenzhen, masked)]
    both = staff.with_(*(grant(*ALL, unit=at, governs=[at], fields=f) for at, f in posts), home=company.hangzhou)
    assert found(both, MOBILE) == found(both, "5678") == ["h1"]
    assert sorted(found(staff.director(), MOBILE)) == ["h1", "s1"]


def test_nothing_beyond_reach_is_found(company: Company, staff: Staff) -> None:
    other = staff.seller("s1")
    making.contact(other, making.customer(other, company, name="深圳乙", phones=[MOBILE]), name="欧阳娜娜")
    for query in ("深圳", MOBILE, "5678", "欧阳"):
        assert found(staff.seller("h1"), query) == []


def test_a_contacts_name_finds_their_customers_for_whoever_reads_contacts(company: Company, staff: Staff) -> None:
    seller, team = staff.seller(), company.team["h1"]
    customer = making.customer(seller, company, name="远山机械")
    contact = making.contact(seller, customer, name="欧阳娜娜", name_en="Nana Ouyang")
    for query in ("欧阳", "阳娜娜", "nana", "OUYANG nana"):
        assert found(seller, query) == ["远山机械"]
    assert found(seller, "欧娜") == []
    reader = staff.with_(grant(PERMISSION_CUSTOMER_READ, unit=team, governs=[team], fields=CLEAR), home=team)
    assert found(reader, "欧阳") == []
    seller("DeleteContact", id=contact.id, etag="*")
    assert found(seller, "欧阳") == []


def test_a_contact_read_by_another_post_finds_no_customer_that_is_not_read(company: Company, staff: Staff) -> None:
    other = staff.seller("s1")
    making.contact(other, making.customer(other, company), name="欧阳娜娜")
    reads = grant(PERMISSION_CUSTOMER_READ, unit=company.hangzhou, governs=[company.hangzhou], fields=CLEAR)
    contacts = grant(PERMISSION_CONTACT_READ, unit=company.shenzhen, governs=[company.shenzhen], fields=CLEAR)
    assert found(staff.with_(reads, contacts, home=company.hangzhou), "欧阳") == []


def test_the_best_come_first_and_pages_follow_without_gap_or_repeat(
    company: Company, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many match by text, what matches by other means still comes first, and each comes once."""
    seller = staff.seller()
    making.contact(seller, making.customer(seller, company, name="联系人的"), name="远山")
    for name, short_name in (("新远山", ""), ("远山乙", ""), ("远山甲", ""), ("阿里", "远山")):
        making.customer(seller, company, name=name, short_name=short_name)
    everything = ["远山甲", "远山乙", "阿里", "新远山", "联系人的"]
    for client in (askers := (seller, staff.manager("hangzhou"), staff.director())):
        assert found(client, "远山", page_size=2) == everything
    monkeypatch.setattr(match_queries, "RARE", 3)
    for client in askers:
        assert found(client, "远山", page_size=2) == ["联系人的", "阿里", "新远山", "远山甲", "远山乙"]


def test_what_is_common_by_the_statistics_is_found_by_name_to_the_last(
    company: Company, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks, and though most of what is within reach may be something else."""
    seller, names = staff.seller("h1"), [f"远山{letter}" for letter in "甲乙丙丁戊己"]
    for name in (*names, "山远", "甬江电子"):
        making.customer(seller, company, name=name)
    making.customer(staff.seller("s1"), company, name="深圳远山")
    making.contact(seller, making.customer(seller, company, name="联系人的"), name="远山")
    monkeypatch.setattr(match_queries, "RARE", 3)
    with company.database.admin() as connection:
        connection.execute("ANALYZE customers")
    monkeypatch.setattr(common_queries, "_known", {})
    assert _common(company, "远山") == (True, 0.7)
    assert _common(company, "电子") == (False, 0.1)
    assert _common(company, "远山电子") == (False, 0)
    by_name = sorted(names, key=search.sort_key)
    for client in (seller, staff.manager("hangzhou")):
        assert found(client, "远山", page_size=2) == ["联系人的", *by_name]
    assert found(staff.director(), "远山", page_size=2) == ["联系人的", "深圳远山", *by_name]


def _common(company: Company, query: str) -> tuple[bool, float]:
    with Session(company.database.engine("api")) as session:
        known = common_queries.statistics(session)
    return known.is_common(query), round(known.expected(query), 3)


@pytest.mark.parametrize("query", ["50%", "a_b", "ab\\cd"])
def test_characters_of_patterns_are_looked_for_as_they_are(company: Company, staff: Staff, query: str) -> None:
    seller = staff.seller()
    for name in (f"甲{query}工厂", "甲500工厂", "甲axb工厂", "甲50a_工厂", "甲abcd工厂", "甲ab%cd工厂"):
        making.customer(seller, company, name=name)
    assert found(seller, query) == [f"甲{query}工厂"]


def test_a_code_or_a_phone_goes_before_what_only_holds_it(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    making.customer(seller, company, name=f"{code(1)}工厂")
    making.customer(seller, company, name="乙", credit_code=code(1))
    assert found(seller, code(1).lower()) == ["乙", f"{code(1)}工厂"]
    making.customer(seller, company, name="88886666酒店")
    making.customer(seller, company, name="远山", phones=[LANDLINE])
    assert found(seller, "88886666") == ["远山", "88886666酒店"]


@pytest.mark.parametrize("query", ["", "远", "远 山", "-", "  "])
def test_a_query_of_less_than_two_characters_says_so(staff: Staff, query: str) -> None:
    refusal = refused(lambda: staff.seller()("SearchCustomers", query=query))
    assert (refusal.reason, refusal.fields) == ("QUERY_TOO_SHORT", ["query"])
