"""Reassignments in bulk: previewed without a trace, done as single ones are, once, and never over somebody's head."""

from typing import Any
from uuid import UUID

import pytest

from chassis import jobs
from chassis.errors import sentence
from chassis.ids import new_id
from chassis.testing.desk import Work
from chassis.testing.rpc import Client, grant
from customers.customer import operations as customers
from tongxiao.common.v1 import job_pb2
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import reassignment_job_pb2 as pb

from . import making
from .conftest import CLEAR, Company, Staff
from .making import refusal, rows


@pytest.fixture
def manager(staff: Staff, work: Work) -> Client:
    return work.know(staff.manager())


def owned(client: Client, company: Company, number: int) -> list[customer_pb2.Customer]:
    return [making.customer(client, company, name=f"客户{n}") for n in range(number)]


def previewed(client: Client, work: Work, **given: Any) -> pb.ReassignmentJob:
    made = client("CreateReassignmentJob", reassignment_job=given)
    work.finish()
    found: pb.ReassignmentJob = client("GetReassignmentJob", id=made.id)
    return found


def done(client: Client, work: Work, job: pb.ReassignmentJob) -> pb.ReassignmentJob:
    client("StartReassignmentJob", id=job.id, etag=job.etag)
    work.finish()
    found: pb.ReassignmentJob = client("GetReassignmentJob", id=job.id)
    return found


def failures(client: Client, job: pb.ReassignmentJob) -> dict[str, str]:
    """Customer to reason, of the rows that fail."""
    asked: dict[str, Any] = {"reassignment_job_id": job.id, "outcome": job_pb2.ROW_OUTCOME_FAILED}
    return {row.customer_id: row.reason for row in client("ListReassignmentRows", **asked).rows}


def owners(company: Company) -> dict[str, UUID]:
    return {
        str(row.customer_id): row.owner_id for row in rows(company, "SELECT customer_id, owner_id FROM assignments")
    }


def test_a_preview_tells_who_loses_and_who_gets_and_changes_nothing(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    before, after = staff.seller("h1"), staff.seller("h2")
    made = owned(before, company, 3)
    told = len(rows(company, "SELECT 1 FROM outbox"))
    ids, to = [customer.id for customer in made], str(after.person_id)
    job = previewed(manager, work, customer_ids=ids, owner_ids=[to])
    assert (job.state, job.preview, job.progress.updated) == (job_pb2.JOB_STATE_WAITING, True, 3)
    assert {each.owner_id: (each.given, each.received) for each in job.owners} == {
        str(before.person_id): (3, 0),
        to: (0, 3),
    }
    assert set(owners(company).values()) == {before.person_id}
    assert len(rows(company, "SELECT 1 FROM outbox")) == told


def test_what_was_previewed_is_done_as_single_ones_are(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    before, after = staff.seller("h1"), staff.seller("h2")
    (customer,) = owned(before, company, 1)
    making.contact(before, customer)
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(after.person_id)], note="调整分工")
    assert done(manager, work, job).state == job_pb2.JOB_STATE_DONE
    now = after("GetCustomer", id=customer.id)
    assert (now.assignments[0].owner_id, now.assignments[0].unit_id) == (
        str(after.person_id),
        str(company.team["h2"]),
    )
    assert int(now.etag) == int(customer.etag) + 1
    periods = after("ListAssignmentHistory", customer_id=customer.id).periods
    assert [(each.owner_id, each.note) for each in periods] == [
        (str(after.person_id), "调整分工"),
        (str(before.person_id), ""),
    ]
    assert after("ListContacts", customer_id=customer.id).contacts
    bulk = "SELECT type FROM outbox WHERE lane = 1 ORDER BY id"
    assert [row.type for row in rows(company, bulk)] == ["customer.changed.v1", "customer.reassigned.v1"]
    trail = "SELECT actor_id FROM audit WHERE resource = 'assignment' AND action = 'StartReassignmentJob'"
    assert [row.actor_id for row in rows(company, trail)] == [manager.person_id]


def test_several_owners_get_customers_in_turn(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    owned(staff.seller("h1"), company, 5)
    to = [str(company.hire(company.team["h2"])) for _ in range(2)]
    job = previewed(manager, work, filter={}, owner_ids=to)
    assert done(manager, work, job).progress.updated == 5
    received = {each.owner_id: each.received for each in manager("GetReassignmentJob", id=job.id).owners}
    assert sorted(received[owner] for owner in to) == [2, 3]


def test_each_unit_has_its_own_new_owner(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    (one,), (two,) = owned(staff.seller("h1"), company, 1), owned(staff.seller("h2"), company, 1)
    first, branch = company.hire(company.team["h1"]), company.hire(company.hangzhou)
    named = [
        {"unit_id": str(company.team["h1"]), "owner_id": str(first)},
        {"unit_id": str(company.hangzhou), "owner_id": str(branch)},
    ]
    done(manager, work, previewed(manager, work, customer_ids=[one.id, two.id], unit_owners=named))
    assert owners(company) == {one.id: first, two.id: branch}


def test_a_unit_for_which_nobody_is_named_keeps_its_customers(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    (one,) = owned(staff.seller("h1"), company, 1)
    named = [{"unit_id": str(company.team["h2"]), "owner_id": str(company.hire(company.team["h2"]))}]
    job = previewed(manager, work, customer_ids=[one.id], unit_owners=named)
    assert failures(manager, job) == {one.id: "OWNER_UNNAMED"}


def test_rows_that_would_be_refused_are_told_with_reasons(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    (mine,), (foreign,) = owned(staff.seller("h1"), company, 1), owned(staff.seller("s1"), company, 1)
    unknown, to = str(new_id()), str(company.hire(company.team["h2"]))
    job = previewed(manager, work, customer_ids=[mine.id, foreign.id, unknown], owner_ids=[to])
    assert failures(manager, job) == {foreign.id: "NOT_FOUND", unknown: "NOT_FOUND"}
    other = previewed(manager, work, customer_ids=[mine.id], owner_ids=[to], line_id=str(new_id()))
    assert failures(manager, other) == {mine.id: "LINE_UNKNOWN"}
    left = str(company.hire(company.team["h2"], state="LEFT"))
    assert failures(manager, previewed(manager, work, customer_ids=[mine.id], owner_ids=[left])) == {
        mine.id: "PERSON_NOT_ACTIVE"
    }
    away = str(company.hire(company.team["s1"]))
    assert failures(manager, previewed(manager, work, customer_ids=[mine.id], owner_ids=[away])) == {
        mine.id: "UNIT_BEYOND_REACH"
    }


def test_who_reads_everywhere_reassigns_only_where_they_may(company: Company, staff: Staff, work: Work) -> None:
    (mine,), (foreign,) = owned(staff.seller("h1"), company, 1), owned(staff.seller("s1"), company, 1)
    reading = grant(PERMISSION_CUSTOMER_READ, unit=company.hq, governs=[company.hq], fields=CLEAR)
    client = work.know(staff.with_(reading, *staff.manager().grants, home=company.hangzhou))
    to = str(company.hire(company.team["h2"]))
    job = previewed(client, work, customer_ids=[mine.id, foreign.id], owner_ids=[to])
    assert failures(client, job) == {foreign.id: "OUT_OF_REACH"}
    assert previewed(client, work, filter={}, owner_ids=[to]).progress.total == 1


def test_only_the_lines_that_the_filter_finds_change_hands(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    line = staff.director()("CreateProductLine", product_line={"code": "L2", "name": "备件"})
    leaver, stayer, heir = (company.hire(company.team["h1"]) for _ in range(3))
    held = [
        {"line_id": str(company.line), "owner_id": str(leaver)},
        {"line_id": line.id, "owner_id": str(stayer)},
    ]
    making.customer(manager, company, assignments=held)
    job = previewed(manager, work, filter={"owner_id": str(leaver)}, owner_ids=[str(heir)])
    done(manager, work, job)
    found = rows(company, "SELECT line_id, owner_id FROM assignments")
    assert {row.line_id: row.owner_id for row in found} == {company.line: heir, UUID(line.id): stayer}


def test_what_changed_hands_meanwhile_is_left_alone(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    (customer,) = owned(staff.seller("h1"), company, 1)
    wanted, other = company.hire(company.team["h2"]), company.hire(company.team["h1"])
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(wanted)])
    single = {"id": customer.id, "line_id": str(company.line), "owner_id": str(other), "etag": "*"}
    manager("ReassignCustomer", **single)
    assert done(manager, work, job).progress.failed == 1
    assert failures(manager, job) == {customer.id: "OWNER_CHANGED"}
    assert owners(company) == {customer.id: other}


def test_other_changes_meanwhile_stay(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    seller = staff.seller("h1")
    (customer,) = owned(seller, company, 1)
    after = staff.seller("h2")
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(after.person_id)])
    seller("UpdateCustomer", customer={"id": customer.id, "etag": customer.etag, "note": "已拜访"})
    assert done(manager, work, job).progress.updated == 1
    assert after("GetCustomer", id=customer.id).note == "已拜访"


def test_who_has_it_already_keeps_it(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    seller = staff.seller("h1")
    (customer,) = owned(seller, company, 1)
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(seller.person_id)])
    assert done(manager, work, job).progress.unchanged == 1
    assert seller("GetCustomer", id=customer.id) == customer


def test_a_step_that_dies_is_done_once_by_the_next(
    company: Company, staff: Staff, manager: Client, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STEP", 2)
    made = owned(staff.seller("h1"), company, 5)
    to = company.hire(company.team["h2"])
    job = previewed(manager, work, customer_ids=[each.id for each in made], owner_ids=[str(to)])
    hand_on, seen = customers.hand_on, []

    def dying(*given: Any, **named: Any) -> None:
        hand_on(*given, **named)
        seen.append(1)
        if len(seen) == 2:
            raise RuntimeError("the process dies")

    monkeypatch.setattr(customers, "hand_on", dying)
    finished = done(manager, work, job)
    assert (finished.state, finished.progress.updated, finished.progress.done) == (job_pb2.JOB_STATE_DONE, 5, 5)
    assert set(owners(company).values()) == {to}
    reassigned = rows(company, "SELECT 1 FROM outbox WHERE type = 'customer.reassigned.v1'")
    assert (len(reassigned), len(rows(company, "SELECT 1 FROM assignment_periods"))) == (5, 10)


def test_who_may_no_longer_reassign_is_stopped_between_steps(
    company: Company, staff: Staff, manager: Client, work: Work
) -> None:
    (customer,) = owned(staff.seller("h1"), company, 1)
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(company.hire(company.team["h2"]))])
    work.forget(manager)
    found = done(manager, work, job)
    assert (found.state, found.reason) == (job_pb2.JOB_STATE_FAILED, "PERMISSION_MISSING")
    assert (found.text, found.text_en) == sentence("PERMISSION_MISSING") != ("", "")


def test_what_is_called_off_is_not_started(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    (customer,) = owned(staff.seller("h1"), company, 1)
    job = previewed(manager, work, customer_ids=[customer.id], owner_ids=[str(company.hire(company.team["h2"]))])
    assert (job.progress.updated, len(job.owners)) == (1, 2)
    cancelled = manager("CancelReassignmentJob", id=job.id)
    assert (cancelled.state, cancelled.preview) == (job_pb2.JOB_STATE_CANCELLED, True)
    assert (cancelled.progress, list(cancelled.owners)) == (job_pb2.JobProgress(total=1), [])
    assert refusal(lambda: manager("StartReassignmentJob", id=job.id, etag="*")) == "JOB_NOT_WAITING"
    assert not manager("ListReassignmentJobs", at_work=True).reassignment_jobs


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"owner_ids": [str(new_id())]}, "CHOICE_UNCLEAR"),
        ({"owner_ids": [str(new_id())], "filter": {}, "customer_ids": [str(new_id())]}, "CHOICE_UNCLEAR"),
        ({"filter": {}}, "RULE_UNCLEAR"),
        (
            {
                "filter": {},
                "unit_owners": [{"unit_id": str(new_id()), "owner_id": str(new_id())}],
                "owner_ids": [str(new_id())],
            },
            "RULE_UNCLEAR",
        ),
    ],
)
def test_an_unclear_wish_is_refused(manager: Client, given: dict[str, Any], reason: str) -> None:
    assert refusal(lambda: manager("CreateReassignmentJob", reassignment_job=given)) == reason


def test_rows_come_page_by_page(company: Company, staff: Staff, manager: Client, work: Work) -> None:
    owned(staff.seller("h1"), company, 3)
    job = previewed(manager, work, filter={}, owner_ids=[str(company.hire(company.team["h2"]))])
    first = manager("ListReassignmentRows", reassignment_job_id=job.id, page_size=2)
    rest = manager("ListReassignmentRows", reassignment_job_id=job.id, page_size=2, page_token=first.next_page_token)
    assert [row.number for row in (*first.rows, *rest.rows)] == [1, 2, 3]
