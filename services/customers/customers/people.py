"""Employees and units as this service knows them from identity's events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock, ids, schema
from customers.refusals import refuse

_EXEMPT = {"reach": "names and states of colleagues, which the directory shows everybody"}


@dataclass(frozen=True)
class Colleague:
    """An employee: their home unit, and the units their posts belong to."""

    id: UUID
    name: str
    name_en: str
    active: bool
    unit_id: UUID | None
    unit_ids: frozenset[UUID]


def find(session: Session, person_id: UUID) -> Colleague | None:
    return next(iter(find_all(session, [person_id]).values()), None)


def find_all(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, Colleague]:
    people = schema.org_people.c
    rows = session.execute(select(schema.org_people).where(people.id.in_(set(person_ids))), execution_options=_EXEMPT)
    return {row.id: _colleague(row) for row in rows}


def unit_names(session: Session, unit_ids: Iterable[UUID]) -> dict[UUID, str]:
    units = schema.org_units.c
    rows = session.execute(select(units.id, units.name).where(units.id.in_(set(unit_ids))), execution_options=_EXEMPT)
    return {row.id: row.name for row in rows}


def unit_zone(session: Session, unit_id: UUID | None) -> str:
    """The time zone of a unit; China's where the unit is not known."""
    wanted = select(schema.org_units.c.time_zone).where(schema.org_units.c.id == unit_id)
    return session.scalar(wanted, execution_options=_EXEMPT) or "Asia/Shanghai"


def start_of_day(session: Session, person_id: UUID, day: date) -> datetime:
    """When a day begins where a person's home unit is."""
    person = find(session, person_id)
    zone = unit_zone(session, person.unit_id if person else None)
    return clock.start_of_day(day, zone)


def active(session: Session, person_id: UUID, *, reason: str, field: str) -> Colleague:
    """An employee at work; refuses `reason` anybody else, NOT_YET_KNOWN one made a moment ago."""
    found = find(session, person_id)
    if found is None and ids.is_fresh(person_id):
        raise refuse("NOT_YET_KNOWN", field=field)
    if found is None or not found.active:
        raise refuse(reason, field=field)
    return found


def _colleague(row: Any) -> Colleague:
    return Colleague(
        id=row.id,
        name=row.name,
        name_en=row.name_en,
        active=row.state == "ACTIVE",
        unit_id=row.unit_id,
        unit_ids=schema.unit_ids_of(row),
    )
