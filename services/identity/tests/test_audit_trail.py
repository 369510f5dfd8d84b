"""The audit trail of identity: every act leaves its row, and who may find it."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from sqlalchemy import text

from chassis import anchors, clock
from chassis.database import transaction
from chassis.seals import Head
from chassis.testing.rpc import Door, Refused
from identity.employee.model import Employee

from .conftest import Company
from .test_employees import act, hired
from .test_posts import appointment
from .test_posts import described as post
from .test_roles import described as role
from .test_units import made, move


def update(firm: Company, kind: str, record: Any, **changes: Any) -> Any:
    return firm.as_("admin")(f"Update{kind.capitalize()}", key="", **{kind: {"id": record.id, "etag": "*", **changes}})


def new_role(firm: Company) -> Any:
    return firm.as_("admin")("CreateRole", role=role())


def new_post(firm: Company) -> Any:
    return firm.as_("admin")("CreatePost", post=post(firm, "salesperson", "h1"))


def appoint(firm: Company) -> Any:
    deputy = {"kind": "TENURE_KIND_DEPUTY", "end_date": clock.today().isoformat()}
    return firm.as_("admin")("CreateTenure", tenure=appointment(firm, "supervisor", "seller", **deputy))


def hire(firm: Company) -> Any:
    return hired(firm.as_("admin"), unit_id=str(firm.unit["h1"]))


def suspend_and_resume(firm: Company) -> None:
    act(firm, "SuspendEmployee", "seller")
    act(firm, "ResumeEmployee", "seller")


def transfer(firm: Company) -> None:
    firm.as_("admin")("EndTenure", id=str(firm.tenure["other"]), etag="*")
    act(firm, "TransferEmployee", "seller", post_id=str(firm.post["other"]))


def close_and_reopen(firm: Company) -> None:
    for act_ in ("CloseUnit", "ReopenUnit"):
        firm.as_("admin")(act_, id=str(firm.unit["h2"]), etag="*")


ACTS: dict[str, Callable[[Company], Any]] = {
    "CreateUnit": lambda firm: made(firm.as_("admin"), firm),
    "UpdateUnit": lambda firm: update(firm, "unit", made(firm.as_("admin"), firm), name="改名"),
    "MoveUnit": lambda firm: move(firm, "h2", "shenzhen"),
    "CloseUnit": lambda firm: firm.as_("admin")("CloseUnit", id=str(firm.unit["h2"]), etag="*"),
    "ReopenUnit": close_and_reopen,
    "CreateRole": new_role,
    "UpdateRole": lambda firm: update(firm, "role", new_role(firm), name="改名"),
    "DeleteRole": lambda firm: firm.as_("admin")("DeleteRole", id=new_role(firm).id, etag="*"),
    "CreatePost": new_post,
    "UpdatePost": lambda firm: update(firm, "post", new_post(firm), name="改名"),
    "DeletePost": lambda firm: firm.as_("admin")("DeletePost", id=new_post(firm).id, etag="*"),
    "CreateTenure": appoint,
    "EndTenure": lambda firm: firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), etag="*"),
    "CreateEmployee": hire,
    "UpdateEmployee": lambda firm: update(firm, "employee", hire(firm), name="改名"),
    "TransferEmployee": transfer,
    "SuspendEmployee": suspend_and_resume,
    "ResumeEmployee": suspend_and_resume,
    "DismissEmployee": lambda firm: act(firm, "DismissEmployee", "seller"),
    "SignOut": lambda firm: firm.as_("seller")("SignOut"),
}
# What only Keycloak can do is done in test_keycloak, which looks for its row.
WITH_KEYCLOAK = {"ResetPassword"}
# What takes a file and a process that reads it is recorded where all long work is: see customers' imports.
WITH_FILES = {f"{act}EmployeeImportJob" for act in ("Create", "Update", "Start", "Cancel")}


def test_every_rpc_that_writes_is_acted_out_here(door: Door) -> None:
    assert ACTS.keys() | WITH_KEYCLOAK | WITH_FILES == {rpc.name for rpc in door.pipeline.rpcs if rpc.writes}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_leaves_its_row(firm: Company, name: str) -> None:
    ACTS[name](firm)
    rows = firm.rows("SELECT actor_id, unit_ids FROM audit WHERE action = :name", name=name)
    assert rows
    assert all(row.actor_id for row in rows)


def test_what_the_system_does_by_itself_is_told_by_its_name(firm: Company) -> None:
    with transaction(firm.database.engine("worker"), action="day") as session:
        session.get_one(Employee, firm.person["seller"]).locale = "en"
    (row,) = firm.rows("SELECT action, actor_id FROM audit WHERE action = 'day'")
    assert row.actor_id is None


def test_a_manager_finds_their_branch_and_nothing_of_another(firm: Company) -> None:
    update(firm, "employee", firm.as_("admin")("GetEmployee", id=str(firm.person["seller"])), name="赵六")
    (found,) = listed(firm, "manager", resource="employee")
    assert (MessageToDict(found.before), MessageToDict(found.after)) == ({"name": "seller先生"}, {"name": "赵六"})
    assert found.actor_name == "admin先生"
    assert listed(firm, "shenzhen", resource="employee") == []
    with pytest.raises(Refused) as refused:
        firm.as_("seller")("ListAudit")
    assert refused.value.reason == "PERMISSION_MISSING"


def test_a_move_between_branches_is_found_in_both(firm: Company) -> None:
    move(firm, "h2", "shenzhen")
    for branch in ("manager", "shenzhen"):
        assert "MoveUnit" in {entry.action for entry in listed(firm, branch)}


def test_days_and_enums_are_told_as_the_api_tells_them(firm: Company) -> None:
    hire(firm)
    (found,) = listed(firm, "admin", resource="employee", action="CreateEmployee")
    told = MessageToDict(found.after)
    assert told["state"] == "EMPLOYEE_STATE_ACTIVE"
    assert told["hireDate"] == clock.today().isoformat()
    person = firm.as_("admin")("GetEmployee", id=found.resource_id)
    assert told["createTime"] == person.create_time.ToJsonString()
    assert told["mobile"] == {"personal": True}


def test_an_instant_kept_by_an_earlier_release_is_told_as_the_others(firm: Company) -> None:
    unit = made(firm.as_("admin"), firm)
    kept = 'UPDATE audit SET after = after || \'{"created_at": "2026-03-01 01:02:03.5+00:00"}\' WHERE resource_id = :id'
    with firm.database.engine("owner").begin() as connection:
        connection.execute(text(kept), {"id": unit.id})
    (found,) = listed(firm, "admin", resource="unit", resource_id=unit.id)
    assert MessageToDict(found.after)["createTime"] == "2026-03-01T01:02:03.500Z"


def listed(firm: Company, name: str, **asked: Any) -> list[Any]:
    return list(firm.as_(name)("ListAudit", **asked).entries)


def test_anchors_are_kept_once_and_told_in_order(firm: Company) -> None:
    heads = [Head(seq, bytes([seq]) * 32, clock.now()) for seq in (2, 1, 2)]
    with transaction(firm.database.engine("worker")) as session:
        for head in heads:
            anchors.keep(session, anchors.sealed("customers", head))
        # Somebody who made the chain anew tells another head under a number known.
        anchors.keep(session, anchors.sealed("customers", Head(2, b"x" * 32, clock.now())))
    told = firm.as_("director")("ListAuditAnchors", service="customers", after_seal=1).anchors.anchors
    assert [(each.seal, each.hash) for each in told] == [(2, b"\2" * 32), (2, b"x" * 32)]
    with pytest.raises(Refused) as refused:
        firm.as_("manager")("ListAuditAnchors", service="customers")
    assert refused.value.reason == "COMPANY_WIDE_ONLY"
    kept = firm.rows("SELECT seq, hash FROM audit_anchors WHERE service = 'customers' ORDER BY seq, kept_at")
    assert [(row.seq, bytes(row.hash)) for row in kept] == [(1, b"\1" * 32), (2, b"\2" * 32), (2, b"x" * 32)]
