"""Shares and reassignment: who else gets at a customer, how far, and until when."""

from datetime import timedelta
from typing import Any

from chassis import clock
from chassis.ids import new_id
from chassis.testing.rpc import Client
from tongxiao.customers.v1.customer_pb2 import SHARE_LEVEL_READ, SHARE_LEVEL_WRITE

from . import making
from .conftest import Company, Staff
from .making import refusal, rows


def test_a_read_share_shows_and_changes_nothing(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_READ}
    owner("CreateShare", share=share)
    assert colleague("GetCustomer", id=customer.id).name == customer.name
    assert [found.id for found in colleague("ListCustomers").customers] == [customer.id]
    changed = {"id": customer.id, "etag": customer.etag, "note": "x"}
    assert refusal(lambda: colleague("UpdateCustomer", customer=changed)) == "OUT_OF_REACH"


def test_a_write_share_changes_facts_but_never_passes_on(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_WRITE}
    owner("CreateShare", share=share)
    changed = colleague("UpdateCustomer", customer={"id": customer.id, "etag": customer.etag, "note": "已拜访"})
    assert changed.note == "已拜访"
    onward = {"customer_id": customer.id, "person_id": str(company.hire(company.shenzhen)), "level": SHARE_LEVEL_READ}
    assert refusal(lambda: colleague("CreateShare", share=onward)) == "OUT_OF_REACH"


def test_a_share_ends_with_its_last_day(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_READ}
    owner("CreateShare", share={**share, "end_date": clock.today().isoformat()})
    with company.database.engine("owner").begin() as connection:
        connection.exec_driver_sql("UPDATE access SET expires_at = now() - interval '1 s'")
    assert refusal(lambda: colleague("GetCustomer", id=customer.id)) in ("NOT_FOUND", "NOT_YET_KNOWN")


def test_a_share_into_the_past_is_refused(company: Company, staff: Staff) -> None:
    owner = staff.seller("h1")
    customer = making.customer(owner, company)
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    share = {"customer_id": customer.id, "person_id": str(company.hire(company.shenzhen)), "level": SHARE_LEVEL_READ}
    past = making.refused(lambda: owner("CreateShare", share={**share, "end_date": yesterday}))
    today = clock.today().isoformat()
    assert (past.reason, past.metadata) == ("DATE_IN_PAST", {"date": yesterday, "earliest": today})
    for text_ in (f"{yesterday} 早于今天（{today}）", f"{yesterday} lies before today, {today}"):
        assert text_ in str(past)


def test_a_share_to_the_end_of_time_is_no_day(company: Company, staff: Staff) -> None:
    owner = staff.seller("h1")
    share: dict[str, Any] = {"customer_id": making.customer(owner, company).id}
    share |= {"person_id": str(company.hire(company.shenzhen))}
    share |= {"level": SHARE_LEVEL_READ, "end_date": "9999-12-31"}
    assert refusal(lambda: owner("CreateShare", share=share)) == "DATE_INVALID"


def test_the_same_share_again_is_the_same_share(company: Company, staff: Staff) -> None:
    owner, stranger = staff.seller("h1"), staff.seller("s1")
    customer, other = making.customer(owner, company), making.customer(stranger, company)
    share = {"id": str(new_id()), "customer_id": customer.id, "level": SHARE_LEVEL_READ}
    share["person_id"] = str(company.hire(company.shenzhen))
    assert owner("CreateShare", share=share) == owner("CreateShare", share=share)
    assert refusal(lambda: owner("CreateShare", share={**share, "note": "x"})) == "ALREADY_EXISTS"
    assert refusal(lambda: stranger("CreateShare", share={**share, "customer_id": other.id})) == "ID_TAKEN"


def test_sharing_again_with_the_same_person_changes_the_share(company: Company, staff: Staff) -> None:
    owner, manager, colleague = staff.seller("h1"), staff.manager(), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_WRITE}
    first = owner("CreateShare", share=share)
    assert owner("CreateShare", share=share) == first
    changed = {"id": customer.id, "etag": "*", "note": "已拜访"}
    assert colleague("UpdateCustomer", customer=changed).note == "已拜访"
    until = clock.today().isoformat()
    narrowed = {**share, "level": SHARE_LEVEL_READ, "end_date": until, "note": "到今天"}
    after = manager("CreateShare", share=narrowed)
    assert (after.id, after.level, after.end_date) == (first.id, SHARE_LEVEL_READ, until)
    assert after.shared_by == str(manager.person_id)
    assert refusal(lambda: colleague("UpdateCustomer", customer=changed)) == "OUT_OF_REACH"
    assert list(owner("ListShares", customer_id=customer.id).shares) == [after]
    (access,) = rows(company, "SELECT writes, expires_at FROM access")
    assert (access.writes, access.expires_at) == (False, clock.end_of_day(clock.today()))
    told = rows(company, "SELECT before, after FROM audit WHERE resource = 'share' ORDER BY id")
    assert [row.after["level"] for row in told] == [SHARE_LEVEL_WRITE, SHARE_LEVEL_READ]


def test_reassigning_to_the_owner_changes_nothing(company: Company, staff: Staff) -> None:
    owner = staff.seller("h1")
    customer = making.customer(owner, company)
    asked = {"id": customer.id, "line_id": str(company.line), "owner_id": str(owner.person_id)}
    assert staff.manager()("ReassignCustomer", **asked, etag=customer.etag, note="x") == customer
    assert len(owner("ListAssignmentHistory", customer_id=customer.id).periods) == 1
    assert [row.type for row in rows(company, "SELECT type FROM outbox")] == ["customer.changed.v1"]


def test_ending_a_share_takes_the_access_away(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_READ}
    made = owner("CreateShare", share=share)
    owner("DeleteShare", customer_id=customer.id, id=made.id)
    assert not colleague("ListCustomers").customers


def test_an_expired_share_explains_nothing(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_READ}
    today = clock.today().isoformat()
    owner("CreateShare", share={**share, "end_date": today})
    asked = {"customer_id": customer.id, "person_id": str(colleague.person_id), "permission": "customer.read"}
    places = staff.manager()("ExplainCustomerAccess", **asked).places
    assert [(place.unit_id, place.owned, place.shared, place.end_date) for place in places] == [
        (str(company.team["h1"]), False, False, ""),
        ("", False, True, today),
    ]
    with company.database.engine("owner").begin() as connection:
        connection.exec_driver_sql("UPDATE access SET expires_at = now() - interval '1 s'")
    assert len(staff.manager()("ExplainCustomerAccess", **asked).places) == 1


def test_a_share_for_reading_is_told_to_be_no_more(company: Company, staff: Staff) -> None:
    owner, colleague = staff.seller("h1"), staff.seller("s1")
    customer = making.customer(owner, company)
    share = {"customer_id": customer.id, "person_id": str(colleague.person_id), "level": SHARE_LEVEL_READ}
    owner("CreateShare", share=share)
    asked = {"customer_id": customer.id, "person_id": str(colleague.person_id), "permission": "customer.update"}
    _, told = staff.manager()("ExplainCustomerAccess", **asked).places
    assert (told.shared, told.shared_for_less, told.writes) == (False, True, False)


def test_a_customer_is_explained_within_reach_only(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("h1"), company)
    asked = {"customer_id": customer.id, "person_id": str(new_id()), "permission": "customer.read"}
    stranger = staff.manager("shenzhen")
    assert refusal(lambda: stranger("ExplainCustomerAccess", **asked)) in ("NOT_FOUND", "NOT_YET_KNOWN")


def test_a_manager_reassigns_and_the_history_stays(company: Company, staff: Staff) -> None:
    before, after = staff.seller("h1"), staff.seller("h2")
    customer = making.customer(before, company)
    staff.manager()(
        "ReassignCustomer",
        id=customer.id,
        line_id=str(company.line),
        owner_id=str(after.person_id),
        note="调整分工",
        etag=customer.etag,
    )
    periods = after("ListAssignmentHistory", customer_id=customer.id).periods
    assert [period.owner_id for period in periods] == [str(after.person_id), str(before.person_id)]
    assert refusal(lambda: before("GetCustomer", id=customer.id)) in ("NOT_FOUND", "NOT_YET_KNOWN")
    told = [row.type for row in rows(company, "SELECT type FROM outbox ORDER BY id")]
    assert told == ["customer.changed.v1", "customer.changed.v1", "customer.reassigned.v1"]


def test_shares_history_and_lines_come_page_by_page(company: Company, staff: Staff) -> None:
    seller, manager = staff.seller("h1"), staff.manager()
    customer = making.customer(seller, company)
    for _ in range(3):
        colleague = str(company.hire(company.shenzhen))
        seller("CreateShare", share={"customer_id": customer.id, "person_id": colleague, "level": SHARE_LEVEL_READ})
    for team in ("h2", "h1"):
        owner = str(company.hire(company.team[team]))
        manager("ReassignCustomer", id=customer.id, line_id=str(company.line), owner_id=owner, etag="*")
    for code in ("L0", "L2"):
        staff.director()("CreateProductLine", product_line={"code": code, "name": code})
    shares = paged(manager, "ListShares", "shares", customer_id=customer.id)
    periods = paged(manager, "ListAssignmentHistory", "periods", customer_id=customer.id)
    lines = paged(manager, "ListProductLines", "product_lines")
    assert [len({share.person_id for share in page}) for page in shares] == [2, 1]
    started = [period.start_time.ToDatetime() for page in periods for period in page]
    assert (len(periods), len(started), started) == (2, 3, sorted(started, reverse=True))
    assert [[line.code for line in page] for page in lines] == [["L0", "L1"], ["L2"]]


def paged(client: Client, name: str, field: str, **asked: str) -> list[list[Any]]:
    """All pages of a list, of two each."""
    pages: list[list[Any]] = []
    token = ""
    while not pages or token:
        answer = client(name, page_size=2, page_token=token, **asked)
        pages.append(list(getattr(answer, field)))
        token = answer.next_page_token
    return pages


def test_a_manager_cannot_reassign_out_of_their_branch(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("h1"), company)
    elsewhere = staff.seller("s1")
    asked = {"id": customer.id, "line_id": str(company.line), "owner_id": str(elsewhere.person_id)}
    manager = staff.manager()
    assert refusal(lambda: manager("ReassignCustomer", **asked, etag=customer.etag)) == "UNIT_BEYOND_REACH"


def test_nobody_takes_a_line_beyond_their_reach(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller("h1"), company)
    thief = staff.seller("s1")
    share = {"customer_id": customer.id, "person_id": str(thief.person_id), "level": SHARE_LEVEL_WRITE}
    staff.manager()("CreateShare", share=share)
    asked = {"id": customer.id, "line_id": str(company.line), "owner_id": str(thief.person_id)}
    assert refusal(lambda: thief("ReassignCustomer", **asked, etag=customer.etag)) == "OUT_OF_REACH"


def test_an_idempotency_key_carries_a_creation_out_once(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    first = making.customer(seller, company, key="offline-1")
    assert making.customer(seller, company, key="offline-1").id == first.id
    assert len(rows(company, "SELECT 1 FROM customers")) == 1


def test_an_idempotency_key_of_another_request_is_refused(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    making.customer(seller, company, key="offline-1")
    again = lambda: making.customer(seller, company, key="offline-1", name="另一家")  # noqa: E731
    assert refusal(again) == "IDEMPOTENCY_KEY_REUSED"


def test_a_replay_is_answered_within_todays_reach(company: Company, staff: Staff) -> None:
    before, after = staff.seller("h1"), staff.seller("h2")
    customer = making.customer(before, company, key="offline-1")
    asked = {"id": customer.id, "line_id": str(company.line), "owner_id": str(after.person_id)}
    staff.manager()("ReassignCustomer", **asked, etag=customer.etag)
    again = lambda: making.customer(before, company, key="offline-1")  # noqa: E731
    assert refusal(again) in ("NOT_FOUND", "NOT_YET_KNOWN")
