"""Units: a dated tree in which moving a unit moves all below it, and every change is told under the next version."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import transaction
from chassis.ids import new_id
from chassis.testing import FrozenClock
from chassis.testing.rpc import Client, Refused
from identity.role.seeds import role_id
from identity.session import day_change
from identity.unit import queries
from tongxiao.identity.v1 import unit_pb2

from .conftest import Company


def made(client: Client, firm: Company, *, below: str = "hangzhou", **fields: Any) -> Any:
    given = {"code": "new", "name": "新组", "kind": "UNIT_KIND_TEAM", "parent_id": str(firm.unit[below]), **fields}
    return client("CreateUnit", unit=given)


def refusal(client: Client, name: str, **fields: Any) -> str:
    with pytest.raises(Refused) as refused:
        client(name, **fields)
    return refused.value.reason


def move(firm: Company, unit: str, parent: str, day: date | None = None, **fields: Any) -> Any:
    asked = {"id": str(firm.unit[unit]), "parent_id": str(firm.unit[parent]), "etag": "*", **fields}
    return firm.as_("admin")("MoveUnit", effective_date=day.isoformat() if day else "", **asked)


def parents(firm: Company, unit: str) -> list[tuple[str, str, str]]:
    """A unit's parents by name, each with its first and last day."""
    names = {str(unit_id): name for name, unit_id in firm.unit.items()}
    found = firm.as_("admin")("ListUnitParents", id=str(firm.unit[unit])).parents
    return [(names[stretch.parent_id], stretch.start_date, stretch.end_date) for stretch in found]


def ancestors(firm: Company, unit: str) -> set[str]:
    """The names of a unit's ancestors as reach knows them."""
    names = {unit_id: name for name, unit_id in firm.unit.items()}
    rows = firm.rows("SELECT ancestor_id FROM org_closure WHERE descendant_id = :id", id=firm.unit[unit])
    return {names[row.ancestor_id] for row in rows}


def tree(client: Client, **asked: Any) -> dict[str, str]:
    """Codes of listed units to their parents' ids."""
    return {unit.code: unit.parent_id for unit in client("ListUnits", **asked).units}


def test_a_new_unit_is_listed_told_and_audited(firm: Company) -> None:
    version = firm.rows("SELECT tree_version FROM org_state")[0].tree_version
    firm.forget_events()
    unit = made(firm.as_("admin"), firm)
    assert (unit.depth, unit.time_zone, unit.currency) == (2, "Asia/Shanghai", "CNY")
    assert tree(firm.as_("admin"))["new"] == str(firm.unit["hangzhou"])
    told = firm.events("org.changed.v1")
    assert [(event["treeVersion"], event["units"][0]["id"]) for event in told] == [(version + 1, unit.id)]
    assert firm.audited("unit", unit.id) == ["CreateUnit"]


def test_the_same_creation_again_answers_the_same_unit(firm: Company) -> None:
    id_ = str(new_id())
    assert made(firm.as_("admin"), firm, id=id_) == made(firm.as_("admin"), firm, id=id_)


def test_another_creation_under_the_same_id_is_refused(firm: Company) -> None:
    id_ = str(new_id())
    made(firm.as_("admin"), firm, id=id_)
    with pytest.raises(Refused) as refused:
        made(firm.as_("admin"), firm, id=id_, name="另一组")
    assert refused.value.reason == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"code": "h1"}, "CODE_TAKEN"),
        ({"kind": "UNIT_KIND_COMPANY"}, "COMPANY_EXISTS"),
        ({"parent_id": ""}, "PARENT_MISSING"),
        ({"kind": "UNIT_KIND_REGION"}, "UNIT_KIND_ORDER"),
        ({"parent_id": str(new_id())}, "PARENT_UNKNOWN"),
        ({"time_zone": "Asia/Nowhere"}, "TIME_ZONE_UNKNOWN"),
        ({"currency": "ZZZ"}, "CURRENCY_UNKNOWN"),
        ({"head_post_id": str(new_id())}, "POST_UNKNOWN"),
    ],
)
def test_a_wrong_unit_is_refused(firm: Company, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        made(firm.as_("admin"), firm, **fields)
    assert refused.value.reason == reason


def test_a_kind_fits_between_parent_and_children(firm: Company) -> None:
    admin, branch, team = firm.as_("admin"), str(firm.unit["hangzhou"]), str(firm.unit["h1"])

    def change(unit: str, kind: str) -> Any:
        return admin("UpdateUnit", unit={"id": unit, "etag": "*", "kind": f"UNIT_KIND_{kind}"})

    department = made(admin, firm, kind="UNIT_KIND_DEPARTMENT")
    admin("MoveUnit", id=team, parent_id=department.id, etag="*")
    for unit, kind in ((team, "REGION"), (branch, "TEAM")):
        with pytest.raises(Refused) as refused:
            change(unit, kind)
        assert (refused.value.reason, refused.value.fields) == ("UNIT_KIND_ORDER", ["unit.kind"])
    assert change(department.id, "TEAM").kind == unit_pb2.UNIT_KIND_TEAM
    assert refusal(admin, "MoveUnit", id=branch, parent_id=str(firm.unit["s1"]), etag="*") == "UNIT_KIND_ORDER"


def test_a_move_to_where_a_unit_lies_changes_nothing(firm: Company) -> None:
    before = firm.as_("admin")("GetUnit", id=str(firm.unit["h1"]))
    firm.forget_events()
    assert move(firm, "h1", "hangzhou") == before
    assert firm.events("org.changed.v1") == []


def test_only_units_of_ones_own_are_read(firm: Company) -> None:
    assert set(tree(firm.as_("manager"))) == {"hangzhou", "h1", "h2"}
    assert refusal(firm.as_("manager"), "GetUnit", id=str(firm.unit["shenzhen"])) == "NOT_FOUND"


def test_what_has_an_operation_of_its_own_is_not_changed_otherwise(firm: Company) -> None:
    unit = {"id": str(firm.unit["h1"]), "etag": "*", "parent_id": str(firm.unit["shenzhen"])}
    with pytest.raises(Refused) as refused:
        firm.as_("admin")("UpdateUnit", unit=unit, update_mask={"paths": ["parent_id"]})
    assert (refused.value.reason, refused.value.fields) == ("FIELD_READ_ONLY", ["parent_id"])


def test_units_are_listed_parents_first_page_by_page(firm: Company) -> None:
    admin, codes, token = firm.as_("admin"), [], ""
    while True:
        page = admin("ListUnits", page_size=2, page_token=token)
        codes += [unit.code for unit in page.units]
        token = page.next_page_token
        if not token:
            break
    assert codes == ["hq", "hangzhou", "shenzhen", "h1", "h2", "s1"]


def test_a_unit_is_found_by_its_name(firm: Company) -> None:
    assert set(tree(firm.as_("admin"), query="H1单")) == {"h1"}
    assert set(tree(firm.as_("admin"), below_id=str(firm.unit["hangzhou"]))) == {"h1", "h2"}
    assert set(tree(firm.as_("admin"), parent_id=str(firm.unit["hq"]))) == {"hangzhou", "shenzhen"}


def test_a_move_takes_the_subtree_along(firm: Company) -> None:
    move(firm, "hangzhou", "shenzhen")
    assert ancestors(firm, "h1") == {"h1", "hangzhou", "shenzhen", "hq"}
    assert {unit.code for unit in firm.as_("shenzhen")("ListUnits").units} == {"shenzhen", "s1", "hangzhou", "h1", "h2"}


def test_figures_keep_the_tree_of_their_day(firm: Company, frozen: FrozenClock) -> None:
    move(firm, "h1", "shenzhen")
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert tree(firm.as_("admin"), as_of_date=yesterday)["h1"] == str(firm.unit["hangzhou"])
    assert tree(firm.as_("admin"))["h1"] == str(firm.unit["shenzhen"])


def test_a_later_move_waits_for_its_day_in_the_companys_zone(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    move(firm, "h1", "shenzhen", date(2026, 11, 26))
    for moment, parent in (
        (datetime(2026, 11, 25, 15, 59, tzinfo=UTC), "hangzhou"),
        (datetime(2026, 11, 25, 16, 1, tzinfo=UTC), "shenzhen"),
    ):
        frozen.set(moment)
        with transaction(firm.database.engine("worker")) as session:
            day_change.begin_days(session)
        assert firm.as_("admin")("GetUnit", id=str(firm.unit["h1"])).parent_id == str(firm.unit[parent])
    assert firm.events("org.changed.v1")[-1]["units"][0]["parentId"] == str(firm.unit["shenzhen"])


def test_planned_parents_are_told_before_their_day(firm: Company) -> None:
    later = clock.today() + timedelta(days=5)
    move(firm, "h1", "shenzhen", later)
    assert parents(firm, "h1") == [
        ("hangzhou", "2000-01-01", (later - timedelta(days=1)).isoformat()),
        ("shenzhen", later.isoformat(), ""),
    ]
    assert tree(firm.as_("admin"), as_of_date=later.isoformat())["h1"] == str(firm.unit["shenzhen"])


def test_a_planned_move_is_not_lost_unless_it_is_to_be(firm: Company) -> None:
    planned, sooner = (clock.today() + timedelta(days=days) for days in (9, 5))
    move(firm, "h1", "shenzhen", planned)
    for day in (None, sooner, planned):
        with pytest.raises(Refused) as refused:
            move(firm, "h1", "h2", day)
        assert (refused.value.reason, refused.value.fields) == ("MOVE_PLANNED", ["effective_date"])
        assert refused.value.metadata == {"start_date": planned.isoformat(), "parent_id": str(firm.unit["shenzhen"])}
    move(firm, "h1", "h2", sooner, replace_planned=True)
    assert [(parent, start) for parent, start, _ in parents(firm, "h1")] == [
        ("hangzhou", "2000-01-01"),
        ("h2", sooner.isoformat()),
    ]


def test_a_move_planned_for_later_stays_beside_one_before_it_ends(firm: Company) -> None:
    first, second = (clock.today() + timedelta(days=days) for days in (5, 9))
    move(firm, "h1", "shenzhen", first)
    move(firm, "h1", "h2", second)
    assert [parent for parent, _, _ in parents(firm, "h1")] == ["hangzhou", "shenzhen", "h2"]


def test_a_planned_move_is_called_off_by_moving_to_where_the_unit_lies(firm: Company) -> None:
    planned, before = clock.today() + timedelta(days=9), parents(firm, "h1")
    move(firm, "h1", "shenzhen", planned)
    firm.forget_events()
    move(firm, "h1", "hangzhou", replace_planned=True)
    assert (parents(firm, "h1"), firm.events("org.changed.v1")) == (before, [])
    entries = firm.as_("admin")("ListAudit", resource="unit", resource_id=str(firm.unit["h1"])).entries
    told = [dict(entry.after) for entry in reversed(entries) if entry.action == "MoveUnit"]
    shenzhen = {"parentId": str(firm.unit["shenzhen"]), "startDate": planned.isoformat()}
    assert told == [
        {**shenzhen, "endDate": None},
        {**shenzhen, "endDate": (planned - timedelta(days=1)).isoformat()},
    ]


def test_a_unit_cannot_be_moved_below_itself(firm: Company) -> None:
    for parent in ("hangzhou", "h1"):
        with pytest.raises(Refused) as refused:
            move(firm, "hangzhou", parent)
        assert refused.value.reason == "MOVE_INTO_ITSELF"


def test_planned_moves_close_no_circle_either(firm: Company) -> None:
    later = clock.today() + timedelta(days=5)
    move(firm, "h1", "s1", later)
    with pytest.raises(Refused) as refused:
        move(firm, "s1", "h1")
    assert refused.value.reason == "MOVE_INTO_ITSELF"


def test_the_past_cannot_be_rearranged(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        move(firm, "h1", "shenzhen", clock.today() - timedelta(days=2))
    assert refused.value.reason == "DATE_IN_PAST"


def test_a_move_needs_both_places_to_be_governed(firm: Company) -> None:
    branch = firm.branch_admin("hangzhou")
    unit, parent = str(firm.unit["h1"]), str(firm.unit["shenzhen"])
    assert refusal(branch, "MoveUnit", id=unit, parent_id=parent, etag="*") == "PARENT_UNKNOWN"
    assert refusal(branch, "MoveUnit", id=str(firm.unit["hangzhou"]), parent_id=unit, etag="*") == "OUT_OF_REACH"
    assert branch("MoveUnit", id=unit, parent_id=str(firm.unit["h2"]), etag="*").depth == 3


def test_a_unit_cannot_be_made_where_one_governs_nothing(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        made(firm.branch_admin("hangzhou"), firm, below="shenzhen")
    assert refused.value.reason == "PARENT_UNKNOWN"


def test_who_governs_a_branch_makes_units_in_it(firm: Company) -> None:
    unit = made(firm.branch_admin("hangzhou"), firm, below="h1")
    assert unit.parent_id == str(firm.unit["h1"])


def test_an_old_etag_is_refused(firm: Company) -> None:
    unit = made(firm.as_("admin"), firm)
    firm.as_("admin")("UpdateUnit", unit={"id": unit.id, "etag": unit.etag, "name": "改名"})
    stale = {"id": unit.id, "etag": unit.etag, "name": "再改"}
    assert refusal(firm.as_("admin"), "UpdateUnit", unit=stale) == "VERSION_MISMATCH"


def close(firm: Company, unit: str = "h2") -> Any:
    return firm.as_("admin")("CloseUnit", id=str(firm.unit[unit]), etag="*")


def state(firm: Company, unit: str = "h2") -> str:
    found = firm.as_("admin")("GetUnit", id=str(firm.unit[unit]))
    return unit_pb2.UnitState.Name(found.state).removeprefix("UNIT_STATE_")


def test_a_unit_is_closed_when_every_service_has_said_that_it_is_empty(firm: Company) -> None:
    asked = close(firm)
    assert state(firm) == "CLOSING"
    assert firm.events("org.changed.v1")[-1]["units"][0]["state"] == "CLOSING"
    firm.tell_of_closing(asked)
    assert state(firm) == "CLOSING"
    firm.tell_of_closing(asked, source="probe")
    assert state(firm) == "CLOSED"


def test_a_unit_that_holds_something_elsewhere_is_in_use_again_and_says_what(firm: Company) -> None:
    asked, admin = close(firm), firm.as_("admin")
    firm.tell_of_closing(asked, customer=3)
    found = admin("GetUnit", id=asked.id)
    assert (state(firm), [(said.service, dict(said.counts)) for said in found.occupied_by]) == (
        "ACTIVE",
        [("customers", {"customer": 3})],
    )
    again = close(firm)
    for source in ("customers", "probe"):
        firm.tell_of_closing(again, source=source)
    assert state(firm) == "CLOSED"
    assert not admin("GetUnit", id=asked.id).occupied_by


def test_an_answer_to_an_earlier_question_changes_nothing(firm: Company) -> None:
    before = close(firm)
    close(firm)
    for source in ("customers", "probe"):
        firm.tell_of_closing(before, source=source)
    assert state(firm) == "CLOSING"


def test_an_answer_that_comes_twice_closes_once(firm: Company) -> None:
    asked = close(firm)
    for source in ("customers", "customers", "probe", "probe"):
        firm.tell_of_closing(asked, source=source)
    closed = [event for event in firm.events("org.changed.v1") if event["units"][0]["state"] == "CLOSED"]
    assert (state(firm), len(closed)) == ("CLOSED", 1)


def test_an_empty_unit_is_closed(firm: Company) -> None:
    closed(firm)
    assert "h2" not in tree(firm.as_("admin"))
    assert "h2" in tree(firm.as_("admin"), show_closed=True)
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert "h2" in tree(firm.as_("admin"), as_of_date=yesterday)
    assert firm.events("org.changed.v1")[-1]["units"][0]["state"] == "CLOSED"


@pytest.mark.parametrize(
    ("unit", "held"),
    [
        ("hq", {"unit": "2", "post": "2", "employee": "2"}),
        ("hangzhou", {"unit": "2", "post": "1", "employee": "1"}),
        ("h1", {"post": "2", "employee": "2"}),
    ],
)
def test_a_unit_that_holds_something_is_not_closed_and_says_what(firm: Company, unit: str, held: Any) -> None:
    with pytest.raises(Refused) as refused:
        close(firm, unit)
    assert (refused.value.reason, refused.value.metadata) == ("UNIT_NOT_EMPTY", held)


def test_a_unit_is_not_closed_before_a_planned_child_comes(firm: Company) -> None:
    move(firm, "h1", "h2", clock.today() + timedelta(days=3))
    assert refusal(firm.as_("admin"), "CloseUnit", id=str(firm.unit["h2"]), etag="*") == "UNIT_NOT_EMPTY"


def closed(firm: Company, unit: str = "h2") -> None:
    asked = close(firm, unit)
    for source in ("customers", "probe"):
        firm.tell_of_closing(asked, source=source)
    assert state(firm, unit) == "CLOSED"


def reopen(firm: Company, unit: str = "h2") -> Any:
    return firm.as_("admin")("ReopenUnit", id=str(firm.unit[unit]), etag="*")


def test_a_closed_unit_is_put_in_use_again(firm: Company) -> None:
    closed(firm)
    version = firm.rows("SELECT tree_version FROM org_state")[0].tree_version
    assert reopen(firm).tree_version == version + 1
    assert (state(firm), "h2" in tree(firm.as_("admin"))) == ("ACTIVE", True)
    assert firm.events("org.changed.v1")[-1]["units"][0]["state"] == "ACTIVE"
    assert made(firm.as_("admin"), firm, below="h2").parent_id == str(firm.unit["h2"])


def test_a_unit_that_is_being_closed_is_put_in_use_again_whatever_is_answered_then(firm: Company) -> None:
    asked = close(firm)
    firm.tell_of_closing(asked)
    reopen(firm)
    firm.tell_of_closing(asked, source="probe")
    assert state(firm) == "ACTIVE"


def test_to_reopen_a_unit_in_use_changes_nothing(firm: Company) -> None:
    before = firm.as_("admin")("GetUnit", id=str(firm.unit["h2"]))
    assert reopen(firm) == before


def test_a_unit_is_not_reopened_below_one_that_is_closed(firm: Company) -> None:
    admin = firm.as_("admin")
    upper = made(admin, firm, kind="UNIT_KIND_DEPARTMENT")
    firm.unit["new"] = UUID(upper.id)
    move(firm, "h2", "new")
    closed(firm)
    closed(firm, "new")
    with pytest.raises(Refused) as refused:
        reopen(firm)
    assert (refused.value.reason, refused.value.metadata) == ("PARENT_CLOSED", {"parent_id": upper.id})
    reopen(firm, "new")
    admin("UpdateUnit", unit={"id": upper.id, "etag": "*", "kind": "UNIT_KIND_TEAM"})
    assert reopen(firm).depth == 3


def test_a_unit_is_not_reopened_below_a_lower_one(firm: Company) -> None:
    admin = firm.as_("admin")
    upper, lower = (made(admin, firm, code=code, kind="UNIT_KIND_DEPARTMENT") for code in ("up", "low"))
    firm.unit |= {"up": UUID(upper.id), "low": UUID(lower.id)}
    move(firm, "low", "up")
    closed(firm, "low")
    admin("UpdateUnit", unit={"id": upper.id, "etag": "*", "kind": "UNIT_KIND_TEAM"})
    assert refusal(admin, "ReopenUnit", id=lower.id, etag="*") == "UNIT_KIND_ORDER"


def test_nothing_is_put_into_a_closed_unit(firm: Company) -> None:
    firm.as_("admin")("CloseUnit", id=str(firm.unit["h2"]), etag="*")
    with pytest.raises(Refused) as refused:
        made(firm.as_("admin"), firm, below="h2")
    assert refused.value.reason == "UNIT_CLOSED"


def test_a_head_post_that_would_head_itself_is_refused(firm: Company) -> None:
    admin, unit = firm.as_("admin"), str(firm.unit["hq"])
    post = {"code": "X", "name": "岗", "role_id": str(role_id("salesperson")), "unit_id": unit}
    made_post = admin("CreatePost", post={**post, "superior_post_id": str(firm.post["seller"])})
    change = {"id": unit, "etag": "*", "head_post_id": made_post.id}
    assert refusal(admin, "UpdateUnit", unit=change) == "SUPERIOR_CIRCLE"


def test_versions_of_the_tree_follow_each_other(firm: Company) -> None:
    for code in ("a1", "a2", "a3"):
        made(firm.as_("admin"), firm, code=code)
    move(firm, "h1", "shenzhen")
    versions = [event["treeVersion"] for event in firm.events("org.changed.v1")]
    assert versions == list(range(1, len(versions) + 1))
    with Session(firm.database.engine("worker")) as session:
        company = queries.company(session)
    assert company
    assert company.tree_version == 1
