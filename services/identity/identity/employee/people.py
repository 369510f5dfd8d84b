"""Telling others who somebody is and where they belong, whenever their record or their posts change."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import Update, update
from sqlalchemy.orm import Session

from chassis import organisation, outbox
from identity.employee import events, queries
from identity.employee.model import Employee
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding

_EXEMPT = {"reach": "a person's home unit and told version follow their posts"}
# Of so many people at once, others hear by the bulk lane.
MANY = 50


def announce(session: Session, employee_ids: Collection[UUID]) -> dict[UUID, list[Holding]]:
    """Bring home units in line with today's posts and tell others of these people; what each holds today."""
    session.flush()
    held = by_person(holdings.of_people(session, employee_ids), employee_ids)
    for employee_id in sorted(held):
        session.execute(_told(employee_id, home_of(held[employee_id])), execution_options=_EXEMPT)
    lane = outbox.BULK if len(held) > MANY else 0
    for employee in queries.fresh(session, held):
        unit_ids = belonging(held[employee.id])
        organisation.apply_person(session, events.public_state(employee, unit_ids), employee.told_version)
        outbox.publish(session, events.person_changed(employee, unit_ids), lane=lane)
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


def _told(employee_id: UUID, home: UUID | None) -> Update:
    statement = update(Employee).where(Employee.id == employee_id)
    values = {"told_version": Employee.told_version + 1, **({"unit_id": home} if home else {})}
    return statement.values(values).execution_options(synchronize_session=False)
