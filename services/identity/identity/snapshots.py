"""What others may fill their projections from: the tree as it is, and everybody's present state."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import schema
from chassis.ids import NIL
from chassis.snapshot import Item, Source
from identity.employee import events as employee_events
from identity.employee.model import Employee
from identity.employee.people import belonging, by_person
from identity.post import holding_queries as holdings
from identity.unit import events as unit_events
from identity.unit.model import Unit


def units(session: Session, after: str, limit: int) -> Sequence[Item]:
    """Units by their ids, under the version the tree has now."""
    version = session.scalar(select(schema.org_state.c.tree_version)) or 0
    found = session.scalars(select(Unit).where(Unit.id > (after or NIL)).order_by(Unit.id).limit(limit))
    return [Item(str(unit.id), unit_events.org_changed(version, [unit])) for unit in found]


def people(session: Session, after: str, limit: int) -> Sequence[Item]:
    """Employees by their ids, those who left too."""
    found = session.scalars(select(Employee).where(Employee.id > (after or NIL)).order_by(Employee.id).limit(limit))
    employees = found.all()
    held = by_person(holdings.of_people(session, [one.id for one in employees]), [one.id for one in employees])
    return [Item(str(one.id), employee_events.person_changed(one, belonging(held[one.id]))) for one in employees]


SOURCES = (
    Source(type=unit_events.CHANGED, page=units),
    Source(type=employee_events.CHANGED, page=people, versions=select(Employee.id, Employee.told_version)),
)
