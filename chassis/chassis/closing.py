"""Closing a unit, on the side of every service: nothing comes into it, and identity is told what lies in it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.orm import Session

from chassis import outbox, schema, turns
from tongxiao.common.v1 import closing_pb2 as pb
from tongxiao.identity.events.v1.events_pb2 import OrgChanged

EMPTY, OCCUPIED = "unit.empty.v1", "unit.occupied.v1"
ACTIVE, CLOSING = "ACTIVE", "CLOSING"

# How much of a service's lies in a unit, by kind.
Count = Callable[[Session, UUID], Mapping[str, int]]

_REACH = {"reach": "whether a unit is open"}
_STATE = select(schema.org_units.c.state).where(schema.org_units.c.id == bindparam("unit_id", type_=Uuid()))
_TURN = "closing"


def is_open(session: Session, unit_id: UUID) -> bool:
    """Whether something may be put into a unit; if so, it is not counted empty before this transaction ends."""
    held: set[UUID] = session.info.setdefault("open_units", set())
    if unit_id in held:
        return True
    turns.share(session, _TURN, unit_id)
    if session.scalar(_STATE, {"unit_id": unit_id}, execution_options=_REACH) in (None, ACTIVE):
        held.add(unit_id)
        return True
    return False


def answer(session: Session, service: str, told: OrgChanged, count: Count) -> None:
    """After a version of the tree was taken over: tell identity what lies in units that it closes.

    Waits for whatever is on its way into them; what begins later finds them closing.
    """
    closing = sorted(unit.id for unit in told.units if unit.state == CLOSING)
    turns.wait_for_all(session, _TURN, closing)
    for unit_id in closing:
        found = {kind: number for kind, number in count(session, UUID(unit_id)).items() if number}
        told_of: Any = pb.UnitOccupied(unit_id=unit_id, tree_version=told.tree_version, counts=found)
        if not found:
            told_of = pb.UnitEmpty(unit_id=unit_id, tree_version=told.tree_version)
        outbox.publish(session, outbox.fact(service, OCCUPIED if found else EMPTY, told_of, subject=unit_id))
