"""Asking to join: what one was refused, asked of those who own it, and nothing learnt but their answer."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.envelope import decode
from chassis.testing.rpc import Client
from customers.joining import operations
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import join_request_pb2 as pb

from . import making
from .conftest import Company, Staff
from .making import code, refused, rows

PHONE = "+8657188886666"
MISSING = {"NOT_FOUND", "NOT_YET_KNOWN"}


def refuse(client: Client, company: Company, **given: Any) -> None:
    """Have a client be told that another unit has a customer."""
    assert refused(lambda: making.customer(client, company, **given)).reason == "DUPLICATE_ELSEWHERE"


def asked(owner: Client, asker: Client, company: Company) -> tuple[Any, Any]:
    """A customer of the owner, and the asker's request to join it."""
    customer = making.customer(owner, company, credit_code=code(1))
    refuse(asker, company, credit_code=code(1))
    return customer, asker("AskToJoin", credit_code=code(1), note="同一集团的另一项目")


def test_who_asks_learns_nothing_but_the_answer(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    customer, request = asked(owner, asker, company)
    assert (request.customer_id, request.state) == ("", pb.JOIN_REQUEST_STATE_PENDING)
    for side in (pb.JOIN_REQUEST_SIDE_ASKED, pb.JOIN_REQUEST_SIDE_UNSPECIFIED):
        (mine,) = asker("ListJoinRequests", side=side).join_requests
        assert (mine.id, mine.customer_id) == (request.id, "")
    assert not asker("ListJoinRequests", side=pb.JOIN_REQUEST_SIDE_TO_ANSWER).join_requests
    assert refused(lambda: asker("AnswerJoinRequest", id=request.id, state=2, etag="*")).reason in MISSING
    for side in (pb.JOIN_REQUEST_SIDE_TO_ANSWER, pb.JOIN_REQUEST_SIDE_UNSPECIFIED):
        (theirs,) = owner("ListJoinRequests", side=side).join_requests
        assert (theirs.customer_id, theirs.person_id) == (customer.id, str(asker.person_id))
    assert not owner("ListJoinRequests", side=pb.JOIN_REQUEST_SIDE_ASKED).join_requests


def test_an_owner_lets_in_until_a_day(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    customer, request = asked(owner, asker, company)
    until = (clock.today() + timedelta(days=30)).isoformat()
    answered = owner(
        "AnswerJoinRequest",
        id=request.id,
        etag=request.etag,
        state=pb.JOIN_REQUEST_STATE_ACCEPTED,
        level=customer_pb2.SHARE_LEVEL_WRITE,
        end_date=until,
    )
    assert (answered.state, answered.end_date) == (pb.JOIN_REQUEST_STATE_ACCEPTED, until)
    assert asker("ListJoinRequests", side=pb.JOIN_REQUEST_SIDE_ASKED).join_requests[0].customer_id == customer.id
    assert asker("UpdateCustomer", customer={"id": customer.id, "etag": "*", "note": "已加入"}).note == "已加入"
    (share,) = owner("ListShares", customer_id=customer.id).shares
    assert (share.person_id, share.end_date) == (str(asker.person_id), until)


def test_an_answer_names_its_own_fields(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    _, request = asked(owner, asker, company)
    accepted = {"id": request.id, "etag": "*", "state": pb.JOIN_REQUEST_STATE_ACCEPTED}
    refusal = refused(lambda: owner("AnswerJoinRequest", **accepted, end_date="2020-01-31"))
    assert (refusal.reason, refusal.fields) == ("DATE_IN_PAST", ["end_date"])
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE org_people SET state = 'LEFT' WHERE id = :id"), {"id": asker.person_id})
    refusal = refused(lambda: owner("AnswerJoinRequest", **accepted))
    assert (refusal.reason, refusal.fields) == ("PERSON_NOT_ACTIVE", [])


def test_declining_says_why_and_shares_nothing(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    customer, request = asked(owner, asker, company)
    declined = {"id": request.id, "etag": "*", "state": pb.JOIN_REQUEST_STATE_DECLINED}
    assert refused(lambda: owner("AnswerJoinRequest", **declined)).reason == "NOTE_MISSING"
    owner("AnswerJoinRequest", **declined, note="本月签约")
    (mine,) = asker("ListJoinRequests", side=pb.JOIN_REQUEST_SIDE_ASKED).join_requests
    assert (mine.state, mine.answer_note, mine.customer_id) == (pb.JOIN_REQUEST_STATE_DECLINED, "本月签约", "")
    assert refused(lambda: asker("GetCustomer", id=customer.id)).reason in MISSING
    assert refused(lambda: owner("AnswerJoinRequest", **declined, note="x")).reason == "JOIN_ANSWERED"


def test_a_superior_answers_and_whom_it_is_shared_with_does_not(company: Company, staff: Staff) -> None:
    owner, asker, sharee = staff.seller("s1"), staff.seller("h1"), staff.seller("h2")
    customer, request = asked(owner, asker, company)
    share = {"customer_id": customer.id, "person_id": str(sharee.person_id), "level": customer_pb2.SHARE_LEVEL_WRITE}
    owner("CreateShare", share=share)
    assert not sharee("ListJoinRequests").join_requests
    accepted = {"id": request.id, "etag": "*", "state": pb.JOIN_REQUEST_STATE_ACCEPTED}
    assert refused(lambda: sharee("AnswerJoinRequest", **accepted)).reason == "OUT_OF_REACH"
    assert staff.manager("shenzhen")("AnswerJoinRequest", **accepted).state == pb.JOIN_REQUEST_STATE_ACCEPTED


def test_one_asks_only_for_what_one_was_refused(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("s1"), company, credit_code=code(1))
    asker = staff.seller("h1")
    assert refused(lambda: asker("AskToJoin", credit_code=code(1))).reason == "NOT_REFUSED"
    assert refused(lambda: asker("AskToJoin", credit_code=code(2))).reason == "NOT_REFUSED"
    assert refused(lambda: asker("AskToJoin", credit_code=code(1), phone=PHONE)).reason == "NOT_EXACTLY_ONE"
    refuse(asker, company, credit_code=code(1))
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE duplicate_answers SET created_at = now() - interval '31 days'"))
    assert refused(lambda: asker("AskToJoin", credit_code=code(1))).reason == "NOT_REFUSED"


def test_by_phone_too_and_twice_is_once(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    making.customer(owner, company, credit_code=code(1), phones=[PHONE])
    refuse(asker, company, phones=[PHONE])
    refuse(asker, company, credit_code=code(1))
    first = asker("AskToJoin", phone="0571-88886666")
    assert asker("AskToJoin", credit_code=code(1)).id == first.id
    assert len(owner("ListJoinRequests").join_requests) == 1


def test_a_day_has_so_many_requests(company: Company, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "requests_per_day", 2)
    owner, asker = staff.seller("s1"), staff.seller("h1")
    for number in range(3):
        making.customer(owner, company, credit_code=code(number))
        refuse(asker, company, credit_code=code(number))
    for number in range(2):
        asker("AskToJoin", credit_code=code(number))
    assert asker("AskToJoin", credit_code=code(0)).state == pb.JOIN_REQUEST_STATE_PENDING
    assert refused(lambda: asker("AskToJoin", credit_code=code(2))).reason == "JOIN_LIMIT"


def test_a_merged_customer_is_asked_for_where_it_went(company: Company, staff: Staff) -> None:
    owner, asker = staff.manager("shenzhen"), staff.seller("h1")
    customer = making.customer(owner, company, credit_code=code(1))
    refuse(asker, company, credit_code=code(1))
    winner = making.customer(owner, company)
    owner("MergeCustomer", id=winner.id, loser_id=customer.id, etag="*")
    asker("AskToJoin", credit_code=code(1))
    assert owner("ListJoinRequests").join_requests[0].customer_id == winner.id


def test_requests_are_told_and_audited_at_the_customers_place(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    _, request = asked(owner, asker, company)
    owner("AnswerJoinRequest", id=request.id, etag="*", state=pb.JOIN_REQUEST_STATE_DECLINED, note="否")
    told = rows(company, "SELECT envelope FROM outbox WHERE type = 'join_request.changed.v1' ORDER BY id")
    events = [decode(row.envelope) for row in told]
    assert [(event.version, event.data["state"]) for event in events if event.data] == [(1, "PENDING"), (2, "DECLINED")]
    found = rows(company, "SELECT action, unit_ids FROM audit WHERE resource = 'join_request' ORDER BY id")
    assert [row.action for row in found] == ["AskToJoin", "AnswerJoinRequest"]
    assert all(row.unit_ids == [company.team["s1"]] for row in found)
    assert not asker("ListAudit", resource="join_request").entries
    newest, oldest = owner("ListAudit", resource="join_request").entries
    assert (oldest.after["note"], newest.after["state"]) == ("同一集团的另一项目", "JOIN_REQUEST_STATE_DECLINED")
