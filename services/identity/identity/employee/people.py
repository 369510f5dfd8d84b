"""Telling others who somebody is and where they belong, whenever their record or their posts change."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, update
from sqlalchemy.orm import Session

from chassis import organisation, outbox
from identity.employee import events, queries
from identity.employee.model import Employee
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding

_EXEMPT = {"reach": "a person's home unit and told version follow their posts"}
_RECORDS: Any = Employee.__table__
_TOLD = (
    update(_RECORDS)
    .where(_RECORDS.c.id == bindparam("key"))
    .values(told_version=_RECORDS.c.told_version + 1, unit_id=func.coalesce(bindparam("home"), _RECORDS.c.unit_id))
)
# Of so many people at once, others hear by the bulk lane.
MANY = 50


def announce(session: Session, employee_ids: Collection[UUID]) -> dict[UUID, list[Holding]]:
    """Bring home units in line with today's posts and tell others of these people; what each holds today."""
    session.flush()
    held = by_person(holdings.of_people(session, employee_ids), employee_ids)
    if not held:
        return held
    homes = [{"key": employee_id, "home": home_of(held[employee_id])} for employee_id in sorted(held)]
    session.connection().execute(_TOLD, homes, execution_options=_EXEMPT)
    told = [(employee, belonging(held[employee.id])) for employee in queries.fresh(session, held)]
    states = [(events.public_state(employee, unit_ids), employee.told_version) for employee, unit_ids in told]
    organisation.apply_people(session, states)
    lane = outbox.BULK if len(held) > MANY else 0
    outbox.publish(session, *(events.person_changed(employee, unit_ids) for employee, unit_ids in told), lane=lane)
    return held


def home_of(held: Sequence[Holding]) -> UUID | None:
    """The unit of the main post, else of the post held longest, deputies' last."""
    ranked = sorted(held, key=lambda holding: (not holding.tenure.main, holding.deputy, holding.tenure.start_on))
    return ranked[0].post.unit_id if ranked else None


def belonging(held: Iterable[Holding]) -> list[UUID]:
    """The units that posts belong to, each once."""
    return list(dict.fromkeys(holding.post.unit_id for holding in held))


def by_person(held: Iterable[Holding], employee_ids: Iterable[UUID]) -> dict[UUID, list[Holding]]:
    found: dict[UUID, list[Holding]] = {employee_id: [] for employee_id in employee_ids}
    for holding in held:
        found[holding.tenure.employee_id].append(holding)
    return found
