"""Merging: every child moves and none is doubled, the loser says where it went, and it can be taken back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.caller import FieldAccess
from chassis.envelope import Envelope, decode
from chassis.ids import new_id
from chassis.testing.rpc import Client, Refused, grant
from tongxiao.customers.v1 import customer_pb2

from . import making
from .conftest import ALL, Company, Staff
from .making import code, refused, rows


def line(company: Company, name: str) -> str:
    """Another product line."""
    id_ = str(new_id())
    with company.database.engine("owner").begin() as connection:
        statement = "INSERT INTO product_lines VALUES (:id, :code, :code, '', false, 1, now(), now())"
        connection.execute(text(statement), {"id": id_, "code": name + id_[-6:]})
    return id_


def merge(client: Client, winner: Any, loser: Any, **more: Any) -> Any:
    return client("MergeCustomer", id=winner.id, loser_id=loser.id, etag="*", **more)


def told(company: Company, kind: str) -> list[Envelope]:
    found = rows(company, "SELECT envelope FROM outbox WHERE type = :kind ORDER BY id", kind=kind)
    return [decode(row.envelope) for row in found]


def test_the_winner_keeps_its_facts_but_for_those_taken(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner = making.customer(manager, company, name="远山", note="甲", tags=["老客户"])
    loser = making.customer(manager, company, name="远山机械", note="乙", credit_code=code(1), tags=["展会", "老客户"])
    merged = merge(manager, winner, loser, take_fields=["credit_code"])
    assert (merged.name, merged.note, merged.credit_code) == ("远山", "甲", code(1))
    assert list(merged.tags) == ["老客户", "展会"]


def test_the_loser_says_where_it_went_within_reach_alone(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    merge(manager, winner, loser)
    refusal = refused(lambda: manager("GetCustomer", id=loser.id, show_deleted=True))
    assert (refusal.reason, refusal.metadata) == ("MERGED_INTO", {"customer_id": winner.id})
    assert refused(lambda: staff.seller("s1")("GetCustomer", id=loser.id)).reason in ("NOT_FOUND", "NOT_YET_KNOWN")
    assert [each.id for each in manager("ListCustomers").customers] == [winner.id]


def test_a_chain_of_merges_leads_to_its_end(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    first, second, third = (making.customer(manager, company) for _ in range(3))
    merge(manager, second, first)
    merge(manager, third, second)
    assert refused(lambda: manager("GetCustomer", id=first.id)).metadata == {"customer_id": third.id}
    refusal = refused(lambda: manager("UnmergeCustomer", id=first.id))
    assert (refusal.reason, refusal.metadata) == ("MERGED_ON", {"customer_id": second.id})
    manager("UnmergeCustomer", id=second.id)
    assert manager("UnmergeCustomer", id=first.id).id == first.id


def test_what_happened_is_told(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    contact = making.contact(manager, loser)
    merge(manager, winner, loser)
    (fact,) = told(company, "customer.merged.v1")
    assert fact.data is not None
    assert (fact.data["winnerId"], fact.data["loserId"]) == (winner.id, loser.id)
    last = {event.subject: event for event in told(company, "customer.changed.v1")}
    assert last[loser.id].data is None
    assert (last[loser.id].version, last[winner.id].version) == (2, 2)
    moved = told(company, "contact.changed.v1")[-1]
    assert moved.data == {"id": contact.id, "customerIds": [winner.id]}
    assert moved.version == 2
    manager("UnmergeCustomer", id=loser.id)
    (undone,) = told(company, "customer.unmerged.v1")
    assert undone.data is not None
    assert undone.data["id"] == fact.data["id"]
    assert told(company, "contact.changed.v1")[-1].data == {"id": contact.id, "customerIds": [loser.id]}
    last = {event.subject: event for event in told(company, "customer.changed.v1")}
    assert last[loser.id].data is not None


def test_every_line_of_both_must_be_within_reach(company: Company, staff: Staff) -> None:
    seller, other = staff.seller("h1"), company.hire(company.team["s1"])
    second = line(company, "L2")
    shared = [{"line_id": str(company.line)}, {"line_id": second, "owner_id": str(other)}]
    mine = making.customer(staff.director(), company, assignments=shared_with(seller, shared))
    own = making.customer(seller, company)
    assert refused(lambda: merge(seller, own, mine)).reason == "OUT_OF_REACH"
    assert refused(lambda: merge(seller, mine, own)).reason == "OUT_OF_REACH"
    assert refused(lambda: merge(staff.manager("shenzhen"), own, mine)).reason in ("NOT_FOUND", "NOT_YET_KNOWN")


def shared_with(seller: Client, assignments: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"owner_id": str(seller.person_id), **assignment} for assignment in assignments]


@pytest.mark.parametrize("taken", [False, True])
def test_of_a_line_both_have_one_owner_stays(company: Company, staff: Staff, taken: bool) -> None:
    manager = staff.manager()
    ours, theirs = (str(company.hire(company.team["h1"])) for _ in range(2))
    winner, loser = (
        making.customer(manager, company, assignments=[{"line_id": str(company.line), "owner_id": owner}])
        for owner in (ours, theirs)
    )
    merged = merge(manager, winner, loser, take_line_ids=[str(company.line)] if taken else [])
    assert [each.owner_id for each in merged.assignments] == [theirs if taken else ours]
    history = manager("ListAssignmentHistory", customer_id=winner.id).periods
    open_ = [period.owner_id for period in history if not period.HasField("end_time")]
    assert (len(history), open_) == (2, [theirs if taken else ours])


def test_what_was_added_since_stays_with_the_winner(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    before = making.record(manager, loser, contact_time=clock.stamp(clock.now() - timedelta(days=3)))
    merge(manager, winner, loser)
    since = making.record(manager, winner)
    late = making.contact(manager, winner)
    manager("UnmergeCustomer", id=loser.id)
    at = {each.id: each.customer_id for each in manager("ListContactRecords").contact_records}
    assert at == {before.id: loser.id, since.id: winner.id}
    assert manager("GetContact", id=late.id).places[0].customer_id == winner.id
    assert manager("GetCustomer", id=loser.id).last_contact_time == before.contact_time


def test_a_child_deleted_meanwhile_stays_so_and_a_line_comes_back_with_its_present_owner(
    company: Company, staff: Staff
) -> None:
    manager = staff.manager()
    second = line(company, "L2")
    winner = making.customer(manager, company)
    loser = making.customer(manager, company, assignments=[{"line_id": second}])
    record = making.record(manager, loser)
    merge(manager, winner, loser)
    manager("DeleteContactRecord", id=record.id, etag="*")
    heir = str(company.hire(company.team["h2"]))
    manager("ReassignCustomer", id=winner.id, line_id=second, owner_id=heir, etag="*")
    back = manager("UnmergeCustomer", id=loser.id)
    assert [(each.line_id, each.owner_id) for each in back.assignments] == [(second, heir)]
    assert len(manager("ListAssignmentHistory", customer_id=loser.id).periods) == 2
    assert not manager("ListContactRecords", customer_id=loser.id).contact_records


def test_a_taken_line_that_was_reassigned_since_stays_where_it_is(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    merge(manager, winner, loser, take_line_ids=[str(company.line)])
    heir = str(company.hire(company.team["h2"]))
    manager("ReassignCustomer", id=winner.id, line_id=str(company.line), owner_id=heir, etag="*")
    back = manager("UnmergeCustomer", id=loser.id)
    assert back.assignments[0].owner_id == str(manager.person_id)
    assert manager("GetCustomer", id=winner.id).assignments[0].owner_id == heir
    for customer, stretches in ((winner, 2), (loser, 1)):
        periods = manager("ListAssignmentHistory", customer_id=customer.id).periods
        assert (len(periods), sum(not period.HasField("end_time") for period in periods)) == (stretches, 1)


def test_facts_changed_since_stay_and_a_code_goes_back(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner = making.customer(manager, company, note="甲", tags=["a"])
    loser = making.customer(manager, company, note="乙", tags=["b"], credit_code=code(1))
    merge(manager, winner, loser, take_fields=["note", "credit_code"])
    manager("UpdateCustomer", customer={"id": winner.id, "etag": "*", "note": "新", "tags": ["a", "b", "c"]})
    manager("UnmergeCustomer", id=loser.id)
    found = manager("GetCustomer", id=winner.id)
    assert (found.note, list(found.tags), found.credit_code) == ("新", ["a", "c"], "")
    assert manager("GetCustomer", id=loser.id).credit_code == code(1)


def test_a_merge_is_taken_back_within_thirty_days(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    assert refused(lambda: manager("UnmergeCustomer", id=loser.id)).reason == "NOT_MERGED"
    merge(manager, winner, loser)
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE merges SET merged_at = merged_at - interval '30 days 1 second'"))
    assert refused(lambda: manager("UnmergeCustomer", id=loser.id)).reason == "UNMERGE_TOO_LATE"


def test_a_code_taken_meanwhile_keeps_the_loser_merged(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = making.customer(manager, company), making.customer(manager, company, credit_code=code(1))
    merge(manager, winner, loser)
    third = making.customer(manager, company, credit_code=code(1))
    refusal = refused(lambda: manager("UnmergeCustomer", id=loser.id))
    assert (refusal.reason, refusal.metadata) == ("DUPLICATE_EXISTS", {"customer_id": third.id})


def test_a_winner_deleted_meanwhile_is_restored_first(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    merge(manager, winner, loser)
    manager("DeleteCustomer", id=winner.id, etag="*")
    assert refused(lambda: manager("UnmergeCustomer", id=loser.id)).reason == "MERGED_ON"
    manager("RestoreCustomer", id=winner.id)
    assert manager("UnmergeCustomer", id=loser.id).id == loser.id


def test_wrong_merges_are_refused(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    assert refused(lambda: merge(manager, winner, winner)).reason == "MERGE_ITSELF"
    refusal = refused(lambda: merge(manager, winner, loser, take_fields=["tags"]))
    assert (refusal.fields, refusal.metadata) == (["take_fields"], {"name": "tags"})
    stale = refused(lambda: manager("MergeCustomer", id=winner.id, loser_id=loser.id, etag="9"))
    assert stale.reason == "VERSION_MISMATCH"
    unit = company.team["hangzhou"]
    masked = staff.with_(
        grant(*ALL, unit=unit, governs=[unit], fields={"customer.phones": FieldAccess.READ}), home=unit
    )
    assert refused(lambda: merge(masked, winner, loser, take_fields=["phones"])).reason == "FIELD_NOT_READABLE"


def test_parents_never_run_in_a_circle(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    top = making.customer(manager, company, name="母")
    middle = making.customer(manager, company, name="子", parent_id=top.id)
    bottom = making.customer(manager, company, name="孙", parent_id=middle.id)
    assert not merge(manager, bottom, top).parent_id
    assert manager("GetCustomer", id=middle.id).parent_id == bottom.id
    manager("UnmergeCustomer", id=top.id)
    assert manager("GetCustomer", id=middle.id).parent_id == top.id
    assert manager("GetCustomer", id=bottom.id).parent_id == middle.id
    refusal = refused(lambda: merge(manager, top, middle, take_fields=["parent_id"]))
    assert refusal.reason == "PARENT_CIRCLE"


def test_what_comes_while_merging_goes_to_the_winner_or_is_refused(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))

    def log() -> str:
        try:
            making.record(manager, loser)
        except Refused as refusal:
            return refusal.reason
        return ""

    with ThreadPoolExecutor(6) as pool:
        logged = [pool.submit(log) for _ in range(6)]
        pool.submit(merge, manager, winner, loser)
        logged += [pool.submit(log) for _ in range(12)]
    reasons = [each.result() for each in logged]
    assert set(reasons) <= {"", "MERGED_INTO", "CUSTOMER_UNKNOWN", "NOT_YET_KNOWN", "VERSION_MISMATCH"}
    found = rows(company, "SELECT customer_id, count(*) FROM contact_records GROUP BY 1")
    assert {str(row[0]): row[1] for row in found} == {winner.id: reasons.count("")}


def test_nothing_comes_to_what_was_merged(company: Company, staff: Staff) -> None:
    manager = staff.manager()
    winner, loser = (making.customer(manager, company) for _ in range(2))
    merge(manager, winner, loser)
    with company.database.engine("api").begin() as connection, pytest.raises(IntegrityError, match="was merged"):
        connection.execute(text(REQUEST), {"id": new_id(), "customer": loser.id, "person": new_id()})


TABLES = (
    *("customers", "assignments", "assignment_periods", "contacts", "contact_places", "contact_records"),
    *("shares", "access", "join_requests", "registrations"),
)
SIDES = st.sets(st.sampled_from(["winner", "loser"]), min_size=1)
SIDE = st.sampled_from(["winner", "loser"])


@st.composite
def families(draw: st.DrawFn) -> dict[str, Any]:
    """Two customers' lines and children, and what a merge takes of the loser."""
    return {
        "lines": draw(st.lists(SIDES, min_size=1, max_size=3)),
        "contacts": draw(st.lists(SIDES, max_size=3)),
        "records": draw(st.lists(SIDE, max_size=3)),
        "shares": draw(st.lists(SIDES, max_size=2)),
        "subsidiaries": draw(st.lists(SIDE, max_size=2)),
        "requests": draw(st.lists(SIDE, max_size=2)),
        "parent": draw(st.sampled_from(["", "winner of loser", "loser of winner"])),
        "take": draw(st.sets(st.sampled_from(["note", "name", "credit_code", "website", "next_contact_date"]))),
        "take_lines": draw(st.sets(st.integers(0, 2))),
    }


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(family=families())
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merging_loses_and_doubles_nothing_and_is_undone_to_the_letter(
    family: dict[str, Any], company: Company, staff: Staff
) -> None:
    director = staff.director()
    lines = [line(company, f"L{n}") for n in range(3)]
    sides = grow(family, lines, company, director)
    before = snapshot(company)
    taken = [lines[at] for at in family["take_lines"]]
    merge(director, sides["winner"], sides["loser"], take_fields=sorted(family["take"]), take_line_ids=taken)
    check_children(family, company, sides["winner"].id, sides["loser"].id)
    director("UnmergeCustomer", id=sides["loser"].id)
    after = snapshot(company)
    for table in TABLES:
        assert after[table] == before[table], table


def grow(family: dict[str, Any], lines: Sequence[str], company: Company, director: Client) -> dict[str, Any]:
    """The two customers with all their children."""
    of: dict[str, list[dict[str, str]]] = {"winner": [], "loser": []}
    for at, sides in enumerate(family["lines"]):
        for side in sides:
            of[side].append({"line_id": lines[at], "owner_id": str(company.hire(company.team["h1"]))})
    spare = {"line_id": str(company.line), "owner_id": str(company.hire(company.team["s1"]))}
    made = {
        side: making.customer(
            director, company, name=f"{side} {new_id()}", note=side, tags=[side, "both"], assignments=given or [spare]
        )
        for side, given in of.items()
    }
    child, _, parent = family["parent"].partition(" of ")
    if parent:
        given = {"id": made[child].id, "etag": "*", "parent_id": made[parent].id}
        made[child] = director("UpdateCustomer", customer=given)
    for sides in family["contacts"]:
        places = [{"customer_id": made[side].id} for side in sorted(sides)]
        director("CreateContact", contact={"name": "李四", "places": places})
    for side in family["records"]:
        making.record(director, made[side])
    for sides in family["shares"]:
        person = str(company.hire(company.shenzhen))
        for side in sides:
            share = {"customer_id": made[side].id, "person_id": person, "level": customer_pb2.SHARE_LEVEL_READ}
            director("CreateShare", share=share)
    for side in family["subsidiaries"]:
        making.customer(director, company, parent_id=made[side].id)
    with company.database.engine("owner").begin() as connection:
        for side in family["requests"]:
            values = {"id": new_id(), "customer": made[side].id, "person": new_id(), "line": lines[0]}
            connection.execute(text(REQUEST), values)
            connection.execute(text(REGISTRATION), values)
    return made


REQUEST = """
INSERT INTO join_requests (id, customer_id, person_id, unit_id, note, state, level, answer_note, version, created_at,
    updated_at)
VALUES (:id, :customer, :person, :person, '', 1, 0, '', 1, now(), now())
"""
REGISTRATION = """
INSERT INTO registrations (id, line_id, name, credit_code, division_code, note, owner_id, unit_id, days,
    protected_until, extended, customer_id, version, created_at, updated_at)
VALUES (:id, :line, '远山', '', '', '', :person, :person, 90, now(), false, :customer, 1, now(), now())
"""


def check_children(family: dict[str, Any], company: Company, winner_id: str, loser_id: str) -> None:
    """Each child is at the winner, once, and none is at the loser."""
    spare = 2 - len(set().union(*family["lines"]))
    wanted = {
        "assignments": len(family["lines"]) + spare,
        "assignment_periods": sum(map(len, family["lines"])) + spare,
        "contact_places": len(family["contacts"]),
        "contact_records": len(family["records"]),
        "shares": len(family["shares"]),
        "join_requests": len(family["requests"]),
        "registrations": len(family["requests"]),
    }
    for table, count in wanted.items():
        statement = f"SELECT customer_id, count(*) FROM {table} WHERE customer_id IN (:winner, :loser) GROUP BY 1"
        found = {str(row[0]): row[1] for row in rows(company, statement, winner=winner_id, loser=loser_id)}
        assert found == ({winner_id: count} if count else {}), table
    access = rows(company, "SELECT entity_id FROM access WHERE entity_id IN (:w, :l)", w=winner_id, l=loser_id)
    assert [str(row.entity_id) for row in access] == [winner_id] * len(family["shares"])
    statement = "SELECT count(*) FROM assignment_periods WHERE customer_id = :id AND ended_at IS NULL"
    assert rows(company, statement, id=winner_id)[0][0] == wanted["assignments"]
    children = rows(company, "SELECT id FROM customers WHERE parent_id = :id AND deleted_at IS NULL", id=winner_id)
    assert len(children) == len(family["subsidiaries"])


def snapshot(company: Company) -> dict[str, list[Any]]:
    """Every row of every table, but for versions and moments of change."""
    row = "to_jsonb(t) - '{version,updated_at}'::text[]"
    return {table: [found[0] for found in rows(company, f"SELECT {row} FROM {table} t ORDER BY 1")] for table in TABLES}
