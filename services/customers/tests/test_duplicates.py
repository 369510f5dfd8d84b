"""Duplicates: what is there already is named within reach, and beyond it only by its unit, counted and audited."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis import clock
from chassis.caller import FieldAccess
from chassis.testing import FrozenClock
from chassis.testing.rpc import Client, grant
from customers.duplicate import queries
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import duplicate_pb2 as pb

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import code, refused, rows
from .making import refusal as reason

PHONE = "+8657188886666"


@pytest.fixture(autouse=True)
def named(company: Company) -> None:
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE org_units SET name = '深圳一组' WHERE id = :id"), {"id": company.team["s1"]})


def test_a_code_in_small_letters_is_the_same_code(company: Company, staff: Staff) -> None:
    seller, known = staff.seller("h1"), code(1)
    made = making.customer(seller, company, credit_code=known.lower())
    assert made.credit_code == known
    refusal = refused(lambda: making.customer(seller, company, credit_code=known.lower()))
    assert (refusal.reason, refusal.metadata["customer_id"]) == ("DUPLICATE_EXISTS", made.id)
    found = seller("FindDuplicates", credit_code=known.lower()).duplicates
    assert [each.customer.id for each in found] == [made.id]


def test_a_code_within_reach_names_the_customer(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    made = making.customer(seller, company, credit_code=code(1))
    refusal = refused(lambda: making.customer(seller, company, credit_code=code(1)))
    assert (refusal.reason, refusal.metadata, refusal.fields) == (
        "DUPLICATE_EXISTS",
        {"customer_id": made.id},
        ["customer.credit_code"],
    )
    assert not rows(company, "SELECT 1 FROM duplicate_answers")


def test_a_code_beyond_reach_names_the_unit_and_no_more(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("s1"), company, credit_code=code(1))
    refusal = refused(lambda: making.customer(staff.seller("h1"), company, credit_code=code(1)))
    assert (refusal.reason, refusal.metadata) == ("DUPLICATE_ELSEWHERE", {"unit_name": "深圳一组"})


def test_what_is_told_of_others_is_audited_without_saying_whom(company: Company, staff: Staff) -> None:
    theirs = making.customer(staff.seller("s1"), company, credit_code=code(1))
    seller = staff.seller("h1")
    refused(lambda: making.customer(seller, company, credit_code=code(1)))
    (row,) = rows(company, "SELECT * FROM audit WHERE resource = 'duplicate_check'")
    assert (row.action, row.actor_id, row.unit_ids) == ("CreateCustomer", seller.person_id, [company.team["h1"]])
    assert row.after["credit_code"] == code(1)
    assert theirs.id not in str(row.after)
    (entry,) = staff.manager()("ListAudit", resource="duplicate_check").entries
    assert entry.after["creditCode"] == code(1)
    assert not rows(company, "SELECT 1 FROM customers WHERE created_by = :id", id=seller.person_id)


def test_a_phone_may_be_insisted_on_and_a_code_never(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    making.customer(seller, company, credit_code=code(1), phones=["0571-88886666"])
    assert refused(lambda: making.customer(seller, company, phones=[PHONE])).fields == ["customer.phones"]
    given = {"name": "同楼另一家", "phones": [PHONE], "assignments": [{"line_id": str(company.line)}]}
    assert seller("CreateCustomer", customer=given, allow_duplicate_phone=True).phones == [PHONE]
    again = refused(
        lambda: seller("CreateCustomer", customer={**given, "credit_code": code(1)}, allow_duplicate_phone=True)
    )
    assert again.reason == "DUPLICATE_EXISTS"


def test_an_edit_is_compared_by_what_it_brings_anew(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    making.customer(seller, company, credit_code=code(1), phones=[PHONE])
    mine = making.customer(seller, company, credit_code=code(2), phones=["+8657112345678"])
    unchanged = {"id": mine.id, "etag": "*", "credit_code": code(2), "phones": mine.phones}
    assert seller("UpdateCustomer", customer=unchanged).etag == mine.etag
    for changed in ({"credit_code": code(1)}, {"phones": [PHONE]}):
        given = {"id": mine.id, "etag": "*", **changed}
        assert refused(partial(seller, "UpdateCustomer", customer=given)).reason == "DUPLICATE_EXISTS"
    shared = {"id": mine.id, "etag": "*", "phones": [PHONE]}
    assert seller("UpdateCustomer", customer=shared, allow_duplicate_phone=True).phones == [PHONE]


def test_a_deleted_customers_code_is_free_and_comes_back_only_if_it_still_is(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    first = making.customer(seller, company, credit_code=code(1))
    seller("DeleteCustomer", id=first.id, etag="*")
    second = making.customer(seller, company, credit_code=code(1))
    refusal = refused(lambda: seller("RestoreCustomer", id=first.id))
    assert (refusal.reason, refusal.metadata) == ("DUPLICATE_EXISTS", {"customer_id": second.id})


def test_twenty_a_day_are_told_and_the_same_counts_once(company: Company, staff: Staff, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 14, 59, tzinfo=UTC))
    other, seller = staff.seller("s1"), staff.seller("h1")
    for number in range(21):
        making.customer(other, company, credit_code=code(number))
    for number in [*range(20), 0, 19]:
        assert ask(seller, company, code(number)) == "DUPLICATE_ELSEWHERE"
    frozen.set(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    last = refused(lambda: making.customer(seller, company, credit_code=code(20)))
    # An hour before midnight where the seller is.
    assert (last.reason, last.metadata) == ("DUPLICATE_CHECK_LIMIT", {"limit": "20", "retry_after": "3600"})
    assert ask(seller, company, code(3)) == "DUPLICATE_ELSEWHERE"
    assert ask(staff.seller("h1"), company, code(20)) == "DUPLICATE_ELSEWHERE"
    assert rows(company, "SELECT count(*) FROM audit WHERE resource = 'duplicate_check'")[0][0] == 21


def test_the_day_is_the_persons_own(company: Company, staff: Staff) -> None:
    other, seller = staff.seller("s1"), staff.seller("h1")
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE org_units SET time_zone = 'America/New_York'"))
    making.customer(other, company, credit_code=code(1))
    midnight = datetime(2027, 1, 5, 5, 0, tzinfo=UTC)
    for moment, days in ((midnight - timedelta(seconds=1), 1), (midnight, 2), (midnight + timedelta(hours=12), 2)):
        with clock.reading(partial(datetime.fromtimestamp, moment.timestamp(), UTC)):
            fresh = staff.door.as_(*seller.grants, person_id=seller.person_id)
            assert ask(fresh, company, code(1)) == "DUPLICATE_ELSEWHERE"
        assert rows(company, "SELECT count(*) FROM duplicate_answers")[0][0] == days


def test_a_masked_phone_is_not_probed(company: Company, staff: Staff) -> None:
    """Who does not read phones in clear learns of one within reach no more than of one beyond."""
    unit = company.team["h1"]
    masked = staff.with_(grant(*ALL, unit=unit, fields={"customer.phones": FieldAccess.MASKED}), home=unit)
    mine = making.customer(masked, company, phones=[PHONE])
    refusal = refused(lambda: making.customer(masked, company, phones=[PHONE]))
    assert (refusal.reason, set(refusal.metadata)) == ("DUPLICATE_ELSEWHERE", {"unit_name"})
    assert not masked("FindDuplicates", phone=PHONE).duplicates
    assert mine.id not in str(refusal.metadata)


def test_what_one_post_reads_in_clear_names_nothing_that_another_reads_masked(company: Company, staff: Staff) -> None:
    """Two posts: one creates in a team, the other reads the other branch's team with phones masked."""
    here, there = company.team["h1"], company.team["s1"]
    theirs = making.customer(staff.seller("s1"), company, phones=[PHONE])
    reading = grant(
        PERMISSION_CUSTOMER_READ, unit=there, governs=[there], fields={"customer.phones": FieldAccess.MASKED}
    )
    both = staff.with_(grant(*ALL, unit=here, fields=CLEAR), reading, home=here)
    assert both("GetCustomer", id=theirs.id).phones == ["+86571****6666"]
    refusal = refused(lambda: making.customer(both, company, phones=[PHONE]))
    assert (refusal.reason, set(refusal.metadata)) == ("DUPLICATE_ELSEWHERE", {"unit_name"})


def test_a_race_is_answered_as_the_check_is(company: Company, staff: Staff) -> None:
    sellers = [staff.seller("h1") for _ in range(6)]

    def create(seller: Client) -> str:
        try:
            making.customer(seller, company, credit_code=code(1))
        except Exception as error:
            return str(getattr(error, "reason", error))
        return ""

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(create, sellers))
    assert found == ["", *["DUPLICATE_ELSEWHERE"] * 5]


def test_of_many_that_bring_one_phone_at_once_one_is_kept(company: Company, staff: Staff) -> None:
    sellers = [staff.seller("h1") for _ in range(6)]
    mine = [making.customer(seller, company, name=f"客户{n}") for n, seller in enumerate(sellers[:3])]

    def bring(number: int) -> str:
        if number < 3:
            changed = {"id": mine[number].id, "etag": "*", "phones": [PHONE]}
            return reason(lambda: sellers[number]("UpdateCustomer", customer=changed))
        return reason(lambda: making.customer(sellers[number], company, phones=[PHONE]))

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(bring, range(6)))
    assert found == ["", *["DUPLICATE_ELSEWHERE"] * 5]


NAME = "杭州远山机械有限公司"


@pytest.mark.parametrize(
    ("draft", "alike"),
    [
        ("杭州远山机械股份有限公司", True),
        ("杭州远山机械（集团）有限责任公司", True),
        ("杭州 远山·机械", True),
        ("杭州远山机械", True),
        ("宁波远山机械有限公司", False),
        ("杭州远山机械有限公司萧山分公司", False),
    ],
)
def test_a_draft_is_warned_of_names_alike(company: Company, staff: Staff, draft: str, alike: bool) -> None:
    seller = staff.seller()
    making.customer(seller, company, name=NAME)
    found = seller("FindDuplicates", name=draft).duplicates
    assert [list(each.kinds) for each in found] == ([[pb.DUPLICATE_KIND_NAME]] if alike else [])


@pytest.mark.parametrize("draft", ["ＡＢＣ Tools Co., Ltd.", "abc tools", "A.B.C. Tools Limited", "ABC TOOLS GROUP"])
def test_latin_names_are_alike_apart_from_their_legal_forms(company: Company, staff: Staff, draft: str) -> None:
    seller = staff.seller()
    making.customer(seller, company, name="ABC Tools Inc.")
    assert len(seller("FindDuplicates", name=draft).duplicates) == 1


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spaces_and_stops_change_no_key(company: Company, name: str) -> None:
    key = rows(company, "SELECT name_key(:name) AS key", name=name)[0].key
    bare = rows(company, "SELECT name_key(:key) AS key, name_key('  ' || :name || '。') AS spaced", key=key, name=name)[
        0
    ]
    assert bare.spaced == key
    assert not any(letter.isspace() for letter in key)


def test_a_domain_finds_customers_by_site_and_by_mail(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    by_site = making.customer(seller, company, name="甲", website="https://www.acme.cn/about")
    by_mail = making.customer(seller, company, name="乙")
    making.contact(seller, by_mail, email="li.si@ACME.cn")
    making.contact(seller, making.customer(seller, company, name="丙"), email="wang@qq.com")
    found = seller("FindDuplicates", website="acme.cn").duplicates
    assert {each.customer.id for each in found} == {by_site.id, by_mail.id}
    assert not seller("FindDuplicates", website="https://qq.com").duplicates


def test_mail_not_read_in_clear_is_not_compared(company: Company, staff: Staff) -> None:
    unit = company.team["h1"]
    masked = staff.with_(grant(*ALL, unit=unit, fields={"contact.email": FieldAccess.MASKED}), home=unit)
    making.contact(masked, making.customer(masked, company), email="li.si@acme.cn")
    assert not masked("FindDuplicates", website="acme.cn").duplicates


def test_near_duplicates_beyond_reach_are_not_found(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("s1"), company, name=NAME, website="acme.cn", credit_code=code(1))
    assert not staff.seller("h1")("FindDuplicates", name=NAME, website="acme.cn", credit_code=code(1)).duplicates
    assert not rows(company, "SELECT 1 FROM duplicate_answers")


def test_existing_doubles_are_listed_in_groups_within_reach(company: Company, staff: Staff) -> None:
    seller, other = staff.seller("h1"), staff.seller("s1")
    twins = [making.customer(seller, company, name=name).id for name in (NAME, "杭州远山机械")]
    making.customer(other, company, name=NAME)
    making.customer(other, company, name="宁波甬江电子")
    making.customer(seller, company, name="宁波甬江电子")
    found = seller("ListDuplicates").groups
    assert [(group.key, [each.id for each in group.customers]) for group in found] == [("杭州远山机械", twins)]
    everywhere = staff.director()("ListDuplicates").groups
    assert [(group.key, len(group.customers)) for group in everywhere] == [("宁波甬江电子", 2), ("杭州远山机械", 3)]
    assert not other("ListDuplicates").groups


def test_pages_of_groups_follow_each_other_whatever_the_window(
    company: Company, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller, director = staff.seller("h1"), staff.director()
    for number in range(5):
        for suffix in ("有限公司", "集团", ""):
            making.customer(seller, company, name=f"公司{number}号{suffix}")
    wanted = [f"公司{number}号" for number in range(5)]
    assert pages(director) == wanted
    for window in (1, 2, 4, 100):
        monkeypatch.setattr(queries, "WINDOW", window)
        monkeypatch.setattr(queries, "COUNTED", 0)
        assert pages(director) == wanted
        assert pages(seller) == wanted


def test_groups_by_domain_leave_public_ones_out(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    for name, website in (
        ("甲", "acme.cn"),
        ("乙", "http://www.acme.cn"),
        ("丙", "weibo.com/a"),
        ("丁", "weibo.com/b"),
    ):
        making.customer(seller, company, name=name, website=website)
    groups = seller("ListDuplicates", grouping=pb.DUPLICATE_GROUPING_DOMAIN).groups
    assert [(group.key, len(group.customers)) for group in groups] == [("acme.cn", 2)]


def pages(client: Client) -> list[str]:
    """The keys of all groups, page by page."""
    found: list[str] = []
    token = ""
    while True:
        page = client("ListDuplicates", page_size=2, page_token=token)
        found += [group.key for group in page.groups]
        token = page.next_page_token
        if not token:
            return found


def ask(client: Client, company: Company, credit_code: str) -> str:
    return refused(lambda: making.customer(client, company, credit_code=credit_code)).reason
