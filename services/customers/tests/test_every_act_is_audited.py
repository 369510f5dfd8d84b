"""Every RPC that writes leaves a row of the audit trail, by its own name."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.testing.rpc import Door
from tongxiao.customers.v1 import contact_pb2, contact_record_pb2, customer_pb2, export_job_pb2

from . import making
from .conftest import Company, Staff
from .making import rows

Act = Callable[[Company, Staff], Any]


def customer(company: Company, staff: Staff) -> customer_pb2.Customer:
    return making.customer(staff.director(), company, assignments=[assigned(company)])


def assigned(company: Company) -> dict[str, str]:
    owner = company.hire(company.team["h1"])
    return {"line_id": str(company.line), "owner_id": str(owner), "unit_id": str(company.team["h1"])}


def contact(company: Company, staff: Staff) -> contact_pb2.Contact:
    return making.contact(staff.director(), customer(company, staff))


def line(_company: Company, staff: Staff) -> Any:
    return staff.director()("CreateProductLine", product_line={"code": "L9", "name": "备件"})


def deleted(company: Company, staff: Staff) -> customer_pb2.Customer:
    made = customer(company, staff)
    staff.director()("DeleteCustomer", id=made.id, etag=made.etag)
    return made


def contact_gone(company: Company, staff: Staff) -> Any:
    made = contact(company, staff)
    staff.director()("DeleteContact", id=made.id, etag=made.etag)
    return made


def shared(company: Company, staff: Staff) -> Any:
    person = str(company.hire(company.shenzhen))
    given = {"customer_id": customer(company, staff).id, "person_id": person, "level": "SHARE_LEVEL_READ"}
    return staff.director()("CreateShare", share=given)


def unshared(company: Company, staff: Staff) -> None:
    share = shared(company, staff)
    staff.director()("DeleteShare", customer_id=share.customer_id, id=share.id)


def reassigned(company: Company, staff: Staff) -> None:
    made, to = customer(company, staff), str(company.hire(company.team["s1"]))
    given = {"id": made.id, "line_id": str(company.line), "owner_id": to, "etag": made.etag}
    staff.director()("ReassignCustomer", **given)


def record(company: Company, staff: Staff, then: str = "") -> contact_record_pb2.ContactRecord:
    """A contact record, and what its author then does with it."""
    author = staff.director()
    made = making.record(author, making.customer(author, company, assignments=[assigned(company)]))
    if then == "update":
        author("UpdateContactRecord", contact_record={"id": made.id, "etag": made.etag, "summary": "改"})
    if then in ("delete", "restore"):
        author("DeleteContactRecord", id=made.id, etag=made.etag)
    if then == "restore":
        author("RestoreContactRecord", id=made.id)
    return made


def updating(rpc: str, kind: str, make: Act, **changes: str) -> Act:
    def run(company: Company, staff: Staff) -> None:
        staff.director()(rpc, key="", **{kind: {"id": make(company, staff).id, "etag": "*", **changes}})

    return run


def doing(rpc: str, make: Act, **more: str) -> Act:
    return lambda company, staff: staff.director()(rpc, id=make(company, staff).id, **more)


def exporting(_company: Company, staff: Staff) -> Any:
    return staff.director()("CreateExportJob", export_job={"kind": export_job_pb2.EXPORT_KIND_CUSTOMERS})


def cancelled(_company: Company, staff: Staff) -> None:
    director = staff.director()
    made = director("CreateExportJob", export_job={"kind": export_job_pb2.EXPORT_KIND_CUSTOMERS})
    director("CancelExportJob", id=made.id)


def reassigning(company: Company, staff: Staff, then: str = "") -> None:
    """A reassignment of many, and what its owner then does with it."""
    director = staff.director()
    wanted = {"filter": {}, "owner_ids": [str(company.hire(company.team["h1"]))]}
    made = director("CreateReassignmentJob", reassignment_job=wanted)
    if then == "cancel":
        director("CancelReassignmentJob", id=made.id)


def saved(_company: Company, staff: Staff) -> Any:
    return staff.director()("CreateSavedFilter", saved_filter={"name": "A", "kind": "SAVED_FILTER_KIND_CUSTOMERS"})


def saved_and(then: str, **changes: str) -> Act:
    """A saved filter, and what its owner then does with it."""

    def run(_company: Company, staff: Staff) -> None:
        director, given = staff.director(), {"name": "A", "kind": "SAVED_FILTER_KIND_CUSTOMERS"}
        made = director("CreateSavedFilter", saved_filter=given)
        told = {"id": made.id, "etag": made.etag, **changes}
        director(then, **({"saved_filter": told} if changes else told))

    return run


def merged(company: Company, staff: Staff, then: str = "") -> None:
    winner, loser = customer(company, staff), customer(company, staff)
    staff.director()("MergeCustomer", id=winner.id, loser_id=loser.id, etag="*")
    if then == "unmerge":
        staff.director()("UnmergeCustomer", id=loser.id)


def registered(company: Company, staff: Staff, then: str = "") -> None:
    """A registration, and what is then done with it."""
    made = staff.seller()("CreateRegistration", registration={"line_id": str(company.line), "name": "远山机械"})
    if then:
        staff.director()(then, id=made.id, etag="*")


def asked(company: Company, staff: Staff, then: str = "") -> None:
    """A request to join what was refused, and its answer."""
    owner, asker = staff.seller("s1"), staff.seller("h1")
    making.customer(owner, company, credit_code=making.code(1))
    making.refused(lambda: making.customer(asker, company, credit_code=making.code(1)))
    request = asker("AskToJoin", credit_code=making.code(1))
    if then == "answer":
        owner("AnswerJoinRequest", id=request.id, state="JOIN_REQUEST_STATE_ACCEPTED", etag="*")


ACTS: dict[str, Act] = {
    "CreateProductLine": line,
    "UpdateProductLine": updating("UpdateProductLine", "product_line", line, name="改名"),
    "CreateCustomer": customer,
    "UpdateCustomer": updating("UpdateCustomer", "customer", customer, note="改"),
    "DeleteCustomer": deleted,
    "RestoreCustomer": doing("RestoreCustomer", deleted),
    "ReassignCustomer": reassigned,
    "CreateShare": shared,
    "DeleteShare": unshared,
    "CreateContact": contact,
    "UpdateContact": updating("UpdateContact", "contact", contact, note="改"),
    "DeleteContact": doing("DeleteContact", contact, etag="*"),
    "RestoreContact": doing("RestoreContact", contact_gone),
    "RevealContact": doing("RevealContact", contact),
    "CreateContactRecord": record,
    "UpdateContactRecord": lambda company, staff: record(company, staff, "update"),
    "DeleteContactRecord": lambda company, staff: record(company, staff, "delete"),
    "RestoreContactRecord": lambda company, staff: record(company, staff, "restore"),
    "MergeCustomer": merged,
    "UnmergeCustomer": lambda company, staff: merged(company, staff, "unmerge"),
    "CreateRegistration": registered,
    "ReleaseRegistration": lambda company, staff: registered(company, staff, "ReleaseRegistration"),
    "ExtendRegistration": lambda company, staff: registered(company, staff, "ExtendRegistration"),
    "AskToJoin": asked,
    "AnswerJoinRequest": lambda company, staff: asked(company, staff, "answer"),
    "CreateExportJob": exporting,
    "CancelExportJob": cancelled,
    "CreateSavedFilter": saved,
    "UpdateSavedFilter": saved_and("UpdateSavedFilter", name="B"),
    "DeleteSavedFilter": saved_and("DeleteSavedFilter"),
    "CreateReassignmentJob": reassigning,
    "CancelReassignmentJob": lambda company, staff: reassigning(company, staff, "cancel"),
}

# What takes a process that does long work is done in test_import and test_bulk_reassign, which look for the rows.
LONG_WORK = {"CreateImportJob", "UpdateImportJob", "StartImportJob", "CancelImportJob", "StartReassignmentJob"}


def test_every_rpc_that_writes_is_acted_out_here(door: Door) -> None:
    assert ACTS.keys() | LONG_WORK == {rpc.name for rpc in door.pipeline.rpcs if rpc.writes}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_leaves_its_row_with_the_units_concerned(company: Company, staff: Staff, name: str) -> None:
    ACTS[name](company, staff)
    found = rows(company, "SELECT actor_id, resource, unit_ids FROM audit WHERE action = :name", name=name)
    assert found
    assert all(row.actor_id and (row.unit_ids or row.resource in ("product_line", "saved_filter")) for row in found)


UNTOLD = """
SELECT c.id, c.version, array_agg(told.version) FROM customers c LEFT JOIN (
    SELECT (event ->> 'subject')::uuid AS id, (event -> 'aggregateversion')::int AS version
    FROM (SELECT convert_from(envelope, 'utf8')::jsonb AS event FROM outbox WHERE type = 'customer.changed.v1') sent
) told USING (id)
GROUP BY 1, 2 HAVING max(told.version) IS DISTINCT FROM c.version OR count(told) <> count(DISTINCT told.version)
"""


@pytest.mark.parametrize("name", ACTS)
def test_every_act_tells_the_state_that_it_leaves_a_customer_in(company: Company, staff: Staff, name: str) -> None:
    ACTS[name](company, staff)
    assert rows(company, UNTOLD) == []
