"""Employees: hired, changed, transferred, suspended, dismissed; the fields of them that roles govern."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from chassis import clock
from chassis.database import transaction
from chassis.ids import new_id
from chassis.testing import FrozenClock
from chassis.testing.rpc import Client, Refused
from identity.session import day_change

from .conftest import Company


def refusal(client: Client, name: str, **fields: Any) -> str:
    with pytest.raises(Refused) as refused:
        client(name, **fields)
    return refused.value.reason


def hired(client: Client, **fields: Any) -> Any:
    given = {"number": "N100", "name": "王小明", "mobile": "13812345678", "email": "Wang@Example.com", **fields}
    return client("CreateEmployee", employee=given)


def act(firm: Company, name: str, person: str, **fields: Any) -> Any:
    return firm.as_("admin")(name, id=str(firm.person[person]), etag="*", **fields)


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def revocations(firm: Company, person: str) -> list[bool]:
    """Of each revocation of a person's, whether only rights changed."""
    events = firm.events("session.revoked.v1")
    return [event.get("rightsOnly", False) for event in events if event["personId"] == str(firm.person[person])]


def test_a_hire_is_told_audited_and_in_the_directory(firm: Company) -> None:
    person = hired(firm.as_("admin"), unit_id=str(firm.unit["h1"]))
    assert (person.username, person.email, person.mobile) == ("n100", "wang@example.com", "+8613812345678")
    assert (person.hire_date, person.state) == (clock.today().isoformat(), 1)
    assert firm.events("person.changed.v1")[-1] == {
        "id": person.id,
        "number": "N100",
        "name": "王小明",
        "state": "ACTIVE",
        "unitId": str(firm.unit["h1"]),
    }
    assert firm.audited("employee", person.id) == ["CreateEmployee"]
    assert "王小明" in [entry.name for entry in firm.as_("other")("ListDirectory").entries]


def test_no_event_and_no_audit_row_holds_a_number_or_an_address(firm: Company) -> None:
    hired(firm.as_("admin"))
    kept = str(firm.rows("SELECT before, after FROM audit")) + str(firm.rows("SELECT envelope FROM outbox"))
    assert "13812345678" not in kept
    assert "wang@example.com" not in kept


def test_the_same_hire_again_answers_the_same_employee(firm: Company) -> None:
    id_ = str(new_id())
    assert hired(firm.as_("admin"), id=id_) == hired(firm.as_("admin"), id=id_)
    with pytest.raises(Refused) as refused:
        hired(firm.as_("admin"), id=id_, name="另一位")
    assert refused.value.reason == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"number": "E-seller"}, "NUMBER_TAKEN"),
        ({"username": "seller"}, "USERNAME_TAKEN"),
        ({"mobile": "12"}, "MOBILE_INVALID"),
        ({"unit_id": str(new_id())}, "UNIT_UNKNOWN"),
    ],
)
def test_a_wrong_hire_is_refused(firm: Company, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        hired(firm.as_("admin"), **fields)
    assert refused.value.reason == reason


def test_a_number_too_short_to_sign_in_with_needs_a_sign_in_name(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        hired(firm.as_("admin"), number="7")
    assert (refused.value.reason, refused.value.fields) == ("NUMBER_TOO_SHORT", ["employee.number"])
    assert hired(firm.as_("admin"), number="7", username="seven").username == "seven"


def test_an_address_belongs_to_one_person(firm: Company) -> None:
    hired(firm.as_("admin"))
    with pytest.raises(Refused) as refused:
        hired(firm.as_("admin"), number="N101")
    assert refused.value.reason == "EMAIL_TAKEN"


def test_a_masked_number_is_not_read_not_written_and_not_overwritten(firm: Company) -> None:
    person = hired(firm.as_("admin"), unit_id=str(firm.unit["h1"]))
    seen = firm.as_("supervisor")("GetEmployee", id=person.id)
    assert (seen.mobile, seen.email) == ("+86138****5678", "w****@example.com")
    assert firm.as_("manager")("GetEmployee", id=person.id).mobile == "+8613812345678"
    clerk = firm.hire_clerk()
    assert refusal(clerk, "UpdateEmployee", employee={"id": person.id, "etag": "*", "mobile": "13800000000"}) == (
        "FIELD_NOT_READABLE"
    )
    with pytest.raises(Refused) as refused:
        hired(clerk, number="N102", email="")
    assert refused.value.fields == ["employee.mobile"]


def test_records_beyond_reach_are_not_found(firm: Company) -> None:
    assert refusal(firm.as_("manager"), "GetEmployee", id=str(firm.person["other"])) == "NOT_FOUND"
    assert {each.username for each in firm.as_("manager")("ListEmployees").employees} == {
        "manager",
        "supervisor",
        "seller",
    }


def test_employees_are_found_by_name_number_and_state(firm: Company) -> None:
    admin = firm.as_("admin")
    act(firm, "SuspendEmployee", "other")
    assert [each.username for each in admin("ListEmployees", query="E-SELL").employees] == ["seller"]
    suspended = admin("ListEmployees", states=["EMPLOYEE_STATE_SUSPENDED"]).employees
    assert [each.username for each in suspended] == ["other"]


def test_a_transfer_ends_one_main_post_and_begins_another(firm: Company) -> None:
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    firm.as_("admin")("EndTenure", id=str(firm.tenure["other"]), etag="*")
    moved = act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]))
    assert moved.unit_id == str(firm.unit["s1"])
    then = firm.as_("admin")("ListTenures", employee_id=moved.id, on_date=yesterday).tenures
    assert [tenure.post_id for tenure in then] == [str(firm.post["seller"])]
    assert firm.events("person.changed.v1")[-1]["unitId"] == str(firm.unit["s1"])
    assert revocations(firm, "seller")[-1] is True


def test_a_later_transfer_takes_effect_on_its_day(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
    with transaction(firm.database.engine("worker")) as session:
        day_change.begin_days(session)
    act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]), effective_date="2026-11-26")
    assert firm.as_("admin")("GetEmployee", id=str(firm.person["seller"])).unit_id == str(firm.unit["h1"])
    firm.forget_events()
    frozen.set(datetime(2026, 11, 25, 16, 1, tzinfo=UTC))
    with transaction(firm.database.engine("worker")) as session:
        day_change.begin_days(session)
    assert firm.as_("admin")("GetEmployee", id=str(firm.person["seller"])).unit_id == str(firm.unit["s1"])
    assert revocations(firm, "seller") == [True]


def test_a_transfer_leaves_the_history_that_was_served(firm: Company) -> None:
    admin, person = firm.as_("admin"), str(firm.person["seller"])
    admin("EndTenure", id=str(firm.tenure["other"]), etag="*")
    moved = (clock.today() - timedelta(days=30)).isoformat()
    act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]), effective_date=moved)
    earlier = {"post_id": str(firm.post["supervisor"]), "effective_date": moved}
    with pytest.raises(Refused) as refused:
        act(firm, "TransferEmployee", "seller", **earlier)
    assert (refused.value.reason, refused.value.fields) == ("TENURE_BEGAN_LATER", ["effective_date"])
    assert refused.value.metadata == {"start_date": moved, "post_id": str(firm.post["other"])}
    assert refusal(admin, "DismissEmployee", id=person, etag="*", leave_date=day_before(moved)) == "TENURE_BEGAN_LATER"
    kept = admin("ListTenures", employee_id=person).tenures
    assert [each.post_id for each in kept] == [str(firm.post["other"]), str(firm.post["seller"])]


def test_a_planned_transfer_is_not_lost_unless_it_is_to_be(firm: Company) -> None:
    admin, person = firm.as_("admin"), str(firm.person["seller"])
    planned, sooner = ((clock.today() + timedelta(days=days)).isoformat() for days in (9, 5))
    admin("EndTenure", id=str(firm.tenure["other"]), etag="*")
    act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]), effective_date=planned)
    another = {"post_id": str(firm.post["supervisor"]), "effective_date": sooner}
    with pytest.raises(Refused) as refused:
        act(firm, "TransferEmployee", "seller", **another)
    assert (refused.value.reason, refused.value.fields) == ("TRANSFER_PLANNED", ["effective_date"])
    assert refused.value.metadata == {"start_date": planned, "post_id": str(firm.post["other"])}
    act(firm, "TransferEmployee", "seller", replace_planned=True, **another)
    kept = admin("ListTenures", employee_id=person).tenures
    assert [each.post_id for each in kept] == [str(firm.post["supervisor"]), str(firm.post["seller"])]
    entries = admin("ListAudit", resource="employee", resource_id=person).entries
    told = [(each.after["postId"], each.after["startDate"], each.after["endDate"]) for each in reversed(entries)]
    assert (str(firm.post["other"]), planned, day_before(planned)) in told


def test_a_transfer_to_the_post_somebody_holds_changes_nothing(firm: Company) -> None:
    admin, person = firm.as_("admin"), str(firm.person["seller"])
    before, held = admin("GetEmployee", id=person), admin("ListTenures", employee_id=person).tenures
    firm.forget_events()
    for day in ("", (clock.today() + timedelta(days=5)).isoformat()):
        assert act(firm, "TransferEmployee", "seller", post_id=str(firm.post["seller"]), effective_date=day) == before
    assert admin("ListTenures", employee_id=person).tenures == held
    assert firm.events("person.changed.v1") == []


def test_a_planned_transfer_is_called_off_by_one_to_the_post_somebody_holds(firm: Company) -> None:
    admin, person, planned = firm.as_("admin"), str(firm.person["seller"]), clock.today() + timedelta(days=9)
    admin("EndTenure", id=str(firm.tenure["other"]), etag="*")
    act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]), effective_date=planned.isoformat())
    stay = {"post_id": str(firm.post["seller"])}
    assert refusal(admin, "TransferEmployee", id=person, etag="*", **stay) == "TRANSFER_PLANNED"
    act(firm, "TransferEmployee", "seller", replace_planned=True, **stay)
    (kept,) = admin("ListTenures", employee_id=person).tenures
    assert (kept.id, kept.end_date) == (str(firm.tenure["seller"]), "")


def test_nobody_is_transferred_to_a_post_that_has_ended(firm: Company) -> None:
    admin, post = firm.as_("admin"), str(firm.post["other"])
    admin("EndTenure", id=str(firm.tenure["other"]), etag="*")
    admin("UpdatePost", post={"id": post, "etag": "*", "end_date": day_before(clock.today().isoformat())})
    with pytest.raises(Refused) as refused:
        act(firm, "TransferEmployee", "seller", post_id=post)
    assert (refused.value.reason, refused.value.fields) == ("POST_NOT_VALID", ["post_id"])


def test_nobody_holds_a_post_before_they_are_hired(firm: Company) -> None:
    person, today = hired(firm.as_("admin"), unit_id=str(firm.unit["h1"])), clock.today().isoformat()
    early = {"post_id": str(firm.post["seller"]), "employee_id": person.id, "kind": "TENURE_KIND_HOLDER"}
    tenure = {**early, "start_date": day_before(today)}
    assert refusal(firm.as_("admin"), "CreateTenure", tenure=tenure) == "TENURE_BEFORE_HIRE"
    transfer = {"id": person.id, "etag": "*", "post_id": str(firm.post["other"]), "effective_date": day_before(today)}
    assert refusal(firm.as_("admin"), "TransferEmployee", **transfer) == "TENURE_BEFORE_HIRE"
    firm.as_("admin")("CreateTenure", tenure={**early, "start_date": today})
    later = {"id": person.id, "etag": "*", "hire_date": (clock.today() + timedelta(days=1)).isoformat()}
    assert refusal(firm.as_("admin"), "UpdateEmployee", employee=later) == "TENURE_BEFORE_HIRE"


def test_somebody_hired_where_the_day_has_begun_may_begin_where_it_has_not(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 20, 0, tzinfo=UTC))
    admin, hq = firm.as_("admin"), str(firm.unit["hq"])
    west = {
        "code": "WEST",
        "name": "西部",
        "kind": "UNIT_KIND_BRANCH",
        "parent_id": hq,
        "time_zone": "America/New_York",
    }
    unit = admin("CreateUnit", unit=west)
    role = admin("GetPost", id=str(firm.post["seller"])).role_id
    post = admin("CreatePost", post={"code": "W1", "name": "西部销售", "role_id": role, "unit_id": unit.id})
    person = hired(admin, unit_id=str(firm.unit["h1"]))
    tenure = {"post_id": post.id, "employee_id": person.id, "kind": "TENURE_KIND_HOLDER"}
    assert (person.hire_date, admin("CreateTenure", tenure=tenure).start_date) == ("2026-11-25", "2026-11-24")


def test_the_trail_of_an_employee_tells_what_they_held(firm: Company) -> None:
    person = hired(firm.as_("admin"), unit_id=str(firm.unit["h1"]))
    tenure = {"post_id": str(firm.post["seller"]), "employee_id": person.id, "kind": "TENURE_KIND_HOLDER", "main": True}
    firm.as_("admin")("CreateTenure", tenure=tenure)
    firm.as_("admin")("TransferEmployee", id=person.id, etag="*", post_id=str(firm.post["other"]))
    entries = firm.as_("admin")("ListAudit", resource="employee", resource_id=person.id).entries
    told = [(entry.action, MessageToDict(entry.after).get("postId")) for entry in reversed(entries)]
    first, second = str(firm.post["seller"]), str(firm.post["other"])
    moved = [("TransferEmployee", first), ("TransferEmployee", second)]
    assert told == [("CreateEmployee", None), ("CreateTenure", first), *moved]


def test_a_day_is_begun_once(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
    for _ in range(2):
        with transaction(firm.database.engine("worker")) as session:
            day_change.begin_days(session)
    act(firm, "DismissEmployee", "seller", leave_date="2026-11-24")
    firm.forget_events()
    frozen.set(datetime(2026, 11, 26, 4, 0, tzinfo=UTC))
    for _ in range(2):
        with transaction(firm.database.engine("worker")) as session:
            day_change.begin_days(session)
    assert revocations(firm, "seller") == [False]
    assert firm.as_("admin")("GetEmployee", id=str(firm.person["seller"])).state == 3


def test_who_is_suspended_is_revoked_at_once_and_can_come_back(firm: Company) -> None:
    firm.forget_events()
    assert act(firm, "SuspendEmployee", "seller", note="调查").state == 2
    assert revocations(firm, "seller") == [False]
    assert firm.events("person.changed.v1")[-1]["state"] == "SUSPENDED"
    notes = firm.rows("SELECT after FROM audit WHERE action = 'SuspendEmployee' ORDER BY id")
    assert {"note": "调查"} in [row.after for row in notes]
    assert act(firm, "ResumeEmployee", "seller").state == 1


def test_who_is_dismissed_loses_every_post(firm: Company) -> None:
    left = act(firm, "DismissEmployee", "seller")
    assert (left.state, left.leave_date) == (3, (clock.today() - timedelta(days=1)).isoformat())
    assert refusal(firm.as_("admin"), "ResumeEmployee", id=left.id, etag="*") == "EMPLOYEE_NOT_ACTIVE"
    assert not firm.as_("admin")("ListTenures", employee_id=left.id, on_date=clock.today().isoformat()).tenures
    assert firm.audited("tenure", firm.tenure["seller"])[-1] == "DismissEmployee"
    assert "E-seller" not in [entry.number for entry in firm.as_("other")("ListDirectory").entries]


@pytest.mark.parametrize("days", [0, 10])
def test_who_never_came_has_held_nothing(firm: Company, days: int) -> None:
    admin, hire_day = firm.as_("admin"), clock.today() + timedelta(days=days)
    person = hired(admin, unit_id=str(firm.unit["h1"]), hire_date=hire_day.isoformat())
    role = admin("GetPost", id=str(firm.post["seller"])).role_id
    post = admin("CreatePost", post={"code": "N1", "name": "新岗", "role_id": role, "unit_id": str(firm.unit["h1"])})
    tenure = {"post_id": post.id, "employee_id": person.id, "kind": "TENURE_KIND_HOLDER", "main": True}
    admin("CreateTenure", tenure={**tenure, "start_date": hire_day.isoformat()})
    assert admin("DismissEmployee", id=person.id, etag="*").state == 3
    assert not admin("ListTenures", employee_id=person.id).tenures
    admin("DeletePost", id=post.id, etag="*")


def test_nobody_leaves_before_the_eve_of_hiring(firm: Company) -> None:
    person = hired(firm.as_("admin"), unit_id=str(firm.unit["h1"]))
    early = day_before(day_before(person.hire_date))
    with pytest.raises(Refused) as refused:
        firm.as_("admin")("DismissEmployee", id=person.id, etag="*", leave_date=early)
    assert (refused.value.reason, refused.value.fields) == ("DATES_REVERSED", ["leave_date"])
    assert refused.value.metadata == {"hire_date": person.hire_date}


def test_who_leaves_later_works_until_then(firm: Company) -> None:
    last = (clock.today() + timedelta(days=7)).isoformat()
    assert act(firm, "DismissEmployee", "seller", leave_date=last).state == 1
    assert firm.as_("seller")("GetMe").grants[0].end_date == last


@pytest.mark.parametrize("name", ["SuspendEmployee", "DismissEmployee"])
def test_nobody_does_this_to_themself(firm: Company, name: str) -> None:
    assert refusal(firm.as_("admin"), name, id=str(firm.person["admin"]), etag="*") == "NOT_ONESELF"


def test_the_directory_shows_name_post_and_unit_to_everybody(firm: Company) -> None:
    entries = {entry.number: entry for entry in firm.as_("other")("ListDirectory").entries}
    assert len(entries) == len(firm.person)
    assert (entries["E-seller"].post_name, entries["E-seller"].unit_name) == ("seller岗", "h1单元")
    found = firm.as_("other")("ListDirectory", employee_ids=[str(firm.person["seller"])]).entries
    assert [entry.number for entry in found] == ["E-seller"]


def test_the_directory_needs_its_permission(firm: Company) -> None:
    assert refusal(firm.branch_admin("hangzhou"), "ListDirectory") == "PERMISSION_MISSING"


def test_a_password_waits_until_the_sign_in_is_there(firm: Company) -> None:
    assert refusal(firm.as_("admin"), "ResetPassword", id=str(firm.person["seller"])) == "SIGN_IN_NOT_READY"


def test_an_old_etag_is_refused(firm: Company) -> None:
    person = firm.as_("admin")("GetEmployee", id=str(firm.person["seller"]))
    firm.as_("admin")("UpdateEmployee", employee={"id": person.id, "etag": person.etag, "name": "改名"})
    stale = {"id": person.id, "etag": person.etag, "name": "再改"}
    assert refusal(firm.as_("admin"), "UpdateEmployee", employee=stale) == "VERSION_MISMATCH"


def test_versions_told_of_a_person_only_grow(firm: Company) -> None:
    act(firm, "SuspendEmployee", "seller")
    act(firm, "ResumeEmployee", "seller")
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    wanted = "SELECT (convert_from(envelope, 'UTF8')::jsonb ->> 'aggregateversion')::int AS v FROM outbox"
    rows = firm.rows(
        f"{wanted} WHERE type = 'person.changed.v1' AND convert_from(envelope, 'UTF8')::jsonb ->> 'subject' = :id"
        " ORDER BY id",
        id=str(firm.person["seller"]),
    )
    assert [row.v for row in rows] == list(range(1, len(rows) + 1))
    kept = firm.rows("SELECT version, state FROM org_people WHERE id = :id", id=firm.person["seller"])
    assert [(row.version, row.state) for row in kept] == [(len(rows), "ACTIVE")]
