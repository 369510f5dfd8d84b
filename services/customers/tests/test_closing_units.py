"""A unit that is being closed takes nothing new, and customers says what lies in it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis import outbox
from chassis.database import transaction
from chassis.testing.desk import working
from customers import units
from tongxiao.common.v1 import job_pb2
from tongxiao.identity.events.v1 import events_pb2

from . import making
from .conftest import Company, Staff
from .making import refusal, rows


def turn(company: Company, unit: UUID, state: str = "CLOSING", *, ahead: int = 1) -> int:
    """Have identity tell, so many versions ahead, that a unit is in another state; the tree's version then."""
    version = rows(company, "SELECT tree_version FROM org_state")[0].tree_version + ahead
    parent = rows(company, "SELECT parent_id FROM org_units WHERE id = :id", id=unit)[0].parent_id
    told = events_pb2.OrgUnit(id=str(unit), parent_id=str(parent), state=state, time_zone="Asia/Shanghai")
    data = events_pb2.OrgChanged(tree_version=version, units=[told])
    with transaction(company.database.engine("worker")) as session:
        event = outbox.state("identity", "org.changed.v1", data, subject="org", version=version)
        units.org_changed(session, event)
    return int(version)


def told(company: Company) -> list[tuple[str, Any]]:
    statement = (
        "SELECT type, convert_from(envelope, 'utf8')::jsonb -> 'data' AS data FROM outbox "
        "WHERE type LIKE 'unit.%' ORDER BY id"
    )
    return [(row.type, row.data) for row in rows(company, statement)]


def test_an_empty_unit_is_told_as_empty(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("h1"), company)
    unit = company.team["h2"]
    version = turn(company, unit)
    assert told(company) == [("unit.empty.v1", {"unitId": str(unit), "treeVersion": version})]


def test_a_unit_with_customers_is_told_as_occupied_by_so_many(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    for _ in range(2):
        making.customer(seller, company)
    unit = company.team["h1"]
    version = turn(company, unit)
    occupied = {"unitId": str(unit), "treeVersion": version, "counts": {"customer": 2}}
    assert told(company) == [("unit.occupied.v1", occupied)]


def test_a_closing_told_early_is_answered_when_its_turn_has_come(company: Company, staff: Staff) -> None:
    unit = company.team["h2"]
    version = turn(company, unit, ahead=2)
    assert told(company) == []
    making.customer(staff.seller("h2"), company)
    turn(company, company.team["h1"], "ACTIVE")
    occupied = {"unitId": str(unit), "treeVersion": version, "counts": {"customer": 1}}
    assert told(company) == [("unit.occupied.v1", occupied)]


def test_other_changes_of_units_are_not_answered(company: Company) -> None:
    turn(company, company.team["h1"], "ACTIVE")
    turn(company, company.team["h1"], "CLOSED")
    assert told(company) == []


@pytest.mark.parametrize("state", ["CLOSING", "CLOSED"])
def test_nothing_new_comes_into_it(company: Company, staff: Staff, state: str) -> None:
    seller, other, manager = staff.seller("h2"), staff.seller("h1"), staff.manager()
    gone = making.customer(seller, company)
    seller("DeleteCustomer", id=gone.id, etag=gone.etag)
    customer = making.customer(other, company)
    turn(company, company.team["h2"], state)
    assert refusal(lambda: making.customer(seller, company)) == "UNIT_CLOSED"
    into = {"id": customer.id, "line_id": str(company.line), "owner_id": str(seller.person_id), "etag": "*"}
    assert refusal(lambda: manager("ReassignCustomer", **into)) == "UNIT_CLOSED"
    assert refusal(lambda: seller("RestoreCustomer", id=gone.id)) == "UNIT_CLOSED"


def test_one_that_is_reopened_takes_something_again(company: Company, staff: Staff) -> None:
    for state in ("CLOSED", "ACTIVE"):
        turn(company, company.team["h2"], state)
    assert making.customer(staff.seller("h2"), company).id


def test_what_is_in_it_can_be_taken_out(company: Company, staff: Staff) -> None:
    customer, unit = making.customer(staff.seller("h2"), company), company.team["h2"]
    turn(company, unit)
    out = {"id": customer.id, "line_id": str(company.line), "owner_id": str(company.hire(company.team["h1"]))}
    staff.manager()("ReassignCustomer", **out, etag="*")
    turn(company, unit)
    assert [kind for kind, _ in told(company)] == ["unit.occupied.v1", "unit.empty.v1"]


def test_a_reassignment_of_many_leaves_it_alone_too(company: Company, staff: Staff, tmp_path: Path) -> None:
    making.customer(staff.seller("h1"), company)
    into = company.hire(company.team["h2"])
    with working(company.database, str(tmp_path)) as work:
        manager = work.know(staff.manager())
        job = manager("CreateReassignmentJob", reassignment_job={"filter": {}, "owner_ids": [str(into)]})
        turn(company, company.team["h2"])
        work.finish()
        asked = {"reassignment_job_id": job.id, "outcome": str(job_pb2.RowOutcome.Name(job_pb2.ROW_OUTCOME_FAILED))}
        assert [row.reason for row in manager("ListReassignmentRows", **asked).rows] == ["UNIT_CLOSED"]
