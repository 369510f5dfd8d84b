"""Employees and units as this service knows them from identity's events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from chassis import clock, schema
from chassis.arrays import UuidArray, array_text
from chassis.errors import DomainError
from customers.refusals import refuse

_EXEMPT = {"reach": "names and states of colleagues, which the directory shows everybody"}

_PEOPLE, _UNITS = schema.org_people, schema.org_units
_THESE = _PEOPLE.c.id == func.any(bindparam("ids", type_=UuidArray()))
_FOUND = select(_PEOPLE).where(_THESE)
_NAMED = (
    select(_PEOPLE.c.id, _PEOPLE.c.name, _PEOPLE.c.name_en, _PEOPLE.c.unit_id, _UNITS.c.name.label("unit_name"))
    .select_from(_PEOPLE.outerjoin(_UNITS, _UNITS.c.id == _PEOPLE.c.unit_id))
    .where(_THESE)
    .order_by(_PEOPLE.c.id)
)


@dataclass(frozen=True)
class Colleague:
    """An employee: their home unit, and the units their posts belong to."""

    id: UUID
    number: str
    name: str
    name_en: str
    active: bool
    unit_id: UUID | None
    unit_ids: frozenset[UUID]


def find(session: Session, person_id: UUID) -> Colleague | None:
    return next(iter(find_all(session, [person_id]).values()), None)


def find_all(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, Colleague]:
    rows = session.execute(_FOUND, {"ids": array_text(frozenset(person_ids))}, execution_options=_EXEMPT)
    return {row.id: _colleague(row) for row in rows}


def named(session: Session, person_ids: Iterable[UUID]) -> Sequence[Any]:
    """Employees by id, each with their name and their home unit's."""
    return session.execute(_NAMED, {"ids": array_text(frozenset(person_ids))}, execution_options=_EXEMPT).all()


def unit_name(session: Session, unit_id: UUID) -> str:
    wanted = select(schema.org_units.c.name).where(schema.org_units.c.id == unit_id)
    return session.scalar(wanted, execution_options=_EXEMPT) or ""


def unit_zone(session: Session, unit_id: UUID | None) -> str:
    """The time zone of a unit; China's where the unit is not known."""
    wanted = select(schema.org_units.c.time_zone).where(schema.org_units.c.id == unit_id)
    return session.scalar(wanted, execution_options=_EXEMPT) or "Asia/Shanghai"


def zone_of(session: Session, person_id: UUID) -> str:
    """The time zone of a person's home unit, by whose days what they may do a day is counted."""
    person = find(session, person_id)
    return unit_zone(session, person.unit_id if person else None)


def start_of_day(session: Session, person_id: UUID, day: date) -> datetime:
    """When a day begins where a person's home unit is."""
    return clock.start_of_day(day, zone_of(session, person_id))


def limited(session: Session, person_id: UUID, reason: str, limit: int) -> DomainError:
    """The refusal of what a person has done as often today as they may: until their day is over."""
    return refuse(reason, limit=limit, retry_after=clock.seconds_left(zone_of(session, person_id)))


def active(session: Session, person_id: UUID, *, reason: str, field: str) -> Colleague:
    """An employee at work; refuses PERSON_NOT_ACTIVE another, `reason` nobody's id, NOT_YET_KNOWN one just made."""
    found = find(session, person_id)
    if found is None:
        raise refuse.unknown(reason, person_id, field=field)
    if not found.active:
        raise refuse("PERSON_NOT_ACTIVE", field=field)
    return found


def _colleague(row: Any) -> Colleague:
    return Colleague(
        id=row.id,
        number=row.number,
        name=row.name,
        name_en=row.name_en,
        active=row.state == "ACTIVE",
        unit_id=row.unit_id,
        unit_ids=schema.unit_ids_of(row),
    )
