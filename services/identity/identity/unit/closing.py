"""Closing a unit: every service is asked, and it is closed when all have said that nothing of theirs lies in it.

One that is closed, or being closed, can be put in use again.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis import clock, guard, masks
from chassis import closing as asking
from chassis.call import Call
from chassis.envelope import Envelope
from identity.employee import queries as employees
from identity.post import queries as posts
from identity.refusals import refuse
from identity.unit import nesting, queries, tree
from identity.unit.model import Unit, UnitOccupancy
from tongxiao.common.v1 import closing_pb2
from tongxiao.identity.v1 import unit_pb2 as pb


def close_unit(call: Call, *, unit_id: UUID, etag: str) -> Unit:
    """Begin to close a unit in which no unit, valid post or employee is left: every service is asked what lies in it.

    One that is closing is asked after again; one closed before stays as it is. Refuses NOT_FOUND, OUT_OF_REACH,
    VERSION_MISMATCH, and UNIT_NOT_EMPTY, telling how many of each there are.
    """
    session = call.session
    unit = _changeable(call, unit_id, etag)
    if unit.is_closed:
        return unit
    unit.state, unit.updated_at = pb.UNIT_STATE_CLOSING, clock.now()
    # The row is locked by now, so nothing can be put into the unit any more.
    session.flush()
    _demand_empty(session, unit, queries.company_today(session))
    _forget_answers(session, unit)
    tree.publish(session, [unit])
    call.trees.forget()
    return unit


def reopen_unit(call: Call, *, unit_id: UUID, etag: str) -> Unit:
    """Put a unit that is closed, or being closed, in use again where it lies; one in use stays as it is.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, PARENT_CLOSED, and UNIT_KIND_ORDER below a parent that has
    become of a lower kind meanwhile.
    """
    session = call.session
    unit = _changeable(call, unit_id, etag)
    if unit.is_open or unit.parent_id is None:
        return unit
    parent = queries.known_units(session, [unit.parent_id])[unit.parent_id]
    if not parent.is_open:
        raise refuse("PARENT_CLOSED", field="id", parent_id=parent.id)
    nesting.demand_fits(unit.kind, parent, field="id")
    unit.closed_on = None
    _forget_answers(session, unit)
    _turn(session, unit, pb.UNIT_STATE_ACTIVE)
    call.trees.forget()
    return unit


def answered(session: Session, event: Envelope, *, services: Collection[str]) -> None:
    """Take a service's answer; one to an earlier question, or about a unit that is not closing, changes nothing."""
    queries.lock_tree(session)
    told = event.read(closing_pb2.UnitOccupied())
    unit = queries.known_units(session, [UUID(told.unit_id)]).get(UUID(told.unit_id))
    if unit is None or unit.state != pb.UNIT_STATE_CLOSING or unit.tree_version != told.tree_version:
        return
    session.merge(UnitOccupancy(unit_id=unit.id, service=event.source, counts=dict(told.counts)))
    session.flush()
    if event.type == asking.OCCUPIED:
        _turn(session, unit, pb.UNIT_STATE_ACTIVE)
    else:
        close_if_confirmed(session, unit, services=services)


def close_if_confirmed(session: Session, unit: Unit, *, services: Collection[str]) -> None:
    """Close a unit in which, as every one of the services has said, nothing lies."""
    if {answer.service for answer in queries.occupancies(session, unit.id)} >= set(services):
        today = queries.company_today(session)
        unit.closed_on = today
        for stretch in queries.parents_of(session, unit.id):
            if stretch.start_on > today:
                session.delete(stretch)
            elif stretch.end_on and stretch.end_on >= today:
                stretch.end_on = None
        _turn(session, unit, pb.UNIT_STATE_CLOSED)


def _turn(session: Session, unit: Unit, state: pb.UnitState.ValueType) -> None:
    unit.state, unit.updated_at = state, clock.now()
    tree.publish(session, [unit])


def _changeable(call: Call, unit_id: UUID, etag: str) -> Unit:
    queries.lock_tree(call.session)
    unit = queries.get_unit(call.session, unit_id)
    guard.demand(call.session, unit)
    masks.check_etag(etag, unit.version)
    return unit


def _demand_empty(session: Session, unit: Unit, today: date) -> None:
    """Refuse UNIT_NOT_EMPTY the company, and a unit that holds units, valid posts or employees."""
    lying = {
        "unit": queries.count_children(session, unit.id, today),
        "post": posts.count_valid(session, unit.id, today),
        "employee": employees.count_looked_after(session, unit.id),
    }
    found = {kind: number for kind, number in lying.items() if number}
    if found or unit.parent_id is None:
        raise refuse("UNIT_NOT_EMPTY", field="id", **found)


def _forget_answers(session: Session, unit: Unit) -> None:
    """Forget what services said; what they say to an earlier question counts no more."""
    session.execute(delete(UnitOccupancy).where(UnitOccupancy.unit_id == unit.id), execution_options={"reach": "asked"})
