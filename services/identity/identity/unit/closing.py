"""Closing a unit: every service is asked, and it is closed when all have said that nothing of theirs lies in it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis import clock
from chassis import closing as asking
from chassis.envelope import Envelope
from identity.unit import queries, tree
from identity.unit.model import Unit, UnitOccupancy
from tongxiao.common.v1 import closing_pb2
from tongxiao.identity.v1 import unit_pb2 as pb


def ask(session: Session, unit: Unit) -> None:
    """Have every service say, under a new version of the tree, what lies in the unit."""
    session.flush()
    session.execute(delete(UnitOccupancy).where(UnitOccupancy.unit_id == unit.id), execution_options={"reach": "asked"})
    tree.publish(session, [unit])


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
