"""Every select of what identity keeps about Keycloak."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock, paging, schema, turns
from chassis.call import Call
from chassis.ids import new_id
from chassis.listing import Order
from identity.employee.model import Employee
from identity.keycloak.model import Drift, GroupLink, Waiting
from identity.session.model import Revocation
from identity.unit.model import Unit
from tongxiao.identity.v1 import employee_pb2 as pb

ORDER = Order("found", "found_at", descending=True)


def list_drifts(call: Call, request: pb.ListDriftsRequest) -> tuple[Sequence[Drift], str]:
    """A page of drifts, newest first."""
    wanted = select(Drift)
    if request.open:
        wanted = wanted.where(Drift.repaired_at.is_(None))
    return paging.Cursor(call, request, ORDER).page(call.session, wanted, Drift)


def record_drift(session: Session, subject: str, subject_id: str, difference: str) -> None:
    """Keep a difference found, unless the very same is known and open."""
    row = {"id": new_id(), "subject": subject, "subject_id": subject_id, "found_at": clock.now()}
    session.execute(insert(Drift).values(**row, difference=difference).on_conflict_do_nothing())


def repaired(session: Session, subject: str, subject_id: str) -> None:
    """Note that whatever differed of a subject no longer does."""
    statement = update(Drift).where(
        Drift.subject == subject, Drift.subject_id == subject_id, Drift.repaired_at.is_(None)
    )
    session.execute(statement.values(repaired_at=clock.now()).execution_options(synchronize_session=False))


def group_links(session: Session, unit_ids: Iterable[UUID] | None = None) -> dict[UUID, str]:
    """Units to the ids of their groups; of all units, where none are named."""
    wanted = select(GroupLink.unit_id, GroupLink.group_id)
    if unit_ids is not None:
        wanted = wanted.where(GroupLink.unit_id.in_(set(unit_ids)))
    return dict(session.execute(wanted).all())


def link_group(session: Session, unit_id: UUID, group_id: str) -> None:
    statement = insert(GroupLink).values(unit_id=unit_id, group_id=group_id)
    session.execute(statement.on_conflict_do_update(index_elements=["unit_id"], set_={"group_id": group_id}))


def unlink_group(session: Session, unit_id: UUID) -> None:
    session.execute(delete(GroupLink).where(GroupLink.unit_id == unit_id))


def wait(session: Session, subject: str, subject_id: UUID) -> None:
    """Note that Keycloak is still to be told of something."""
    row = {"subject": subject, "subject_id": subject_id, "since": clock.now()}
    session.execute(insert(Waiting).values(row).on_conflict_do_nothing())


def waiting(session: Session) -> Sequence[tuple[str, UUID, datetime]]:
    """What Keycloak is still to be told, longest waiting first."""
    wanted = select(Waiting.subject, Waiting.subject_id, Waiting.since).order_by(Waiting.since)
    return [(subject, subject_id, since) for subject, subject_id, since in session.execute(wanted)]


def told(session: Session, subject: str, subject_id: UUID) -> None:
    session.execute(delete(Waiting).where(Waiting.subject == subject, Waiting.subject_id == subject_id))


def lock_subject(session: Session, subject: str, subject_id: object) -> None:
    """Let one process at a time tell Keycloak of one subject."""
    turns.wait(session, f"keycloak/{subject}", subject_id)


def unit(session: Session, unit_id: UUID) -> Unit | None:
    return session.scalars(select(Unit).where(Unit.id == unit_id)).one_or_none()


def employee(session: Session, employee_id: UUID) -> Employee | None:
    return session.scalars(select(Employee).where(Employee.id == employee_id)).one_or_none()


def revocation(session: Session, revocation_id: UUID) -> Revocation | None:
    return session.scalars(select(Revocation).where(Revocation.id == revocation_id)).one_or_none()


def all_units(session: Session, *, before: datetime) -> Sequence[Unit]:
    """The units that have not changed since a moment, upper ones first."""
    depth = select(func.max(schema.org_closure.c.depth)).where(schema.org_closure.c.descendant_id == Unit.id)
    wanted = select(Unit).where(Unit.updated_at < before)
    return session.scalars(wanted.order_by(depth.scalar_subquery(), Unit.id)).all()


def all_employees(session: Session, *, before: datetime) -> Sequence[Employee]:
    """The employees whose record and posts have not changed since a moment."""
    return session.scalars(select(Employee).where(Employee.updated_at < before).order_by(Employee.id)).all()


def account_links(session: Session) -> set[str]:
    """The ids at Keycloak of all accounts that are employees'."""
    wanted = select(Employee.keycloak_id).where(Employee.keycloak_id.is_not(None))
    return {str(keycloak_id) for keycloak_id in session.scalars(wanted)}


def link_account(session: Session, employee_id: UUID, keycloak_id: str) -> None:
    """Keep an account's id; the employee's record itself does not change."""
    statement = update(Employee).where(Employee.id == employee_id)
    values = {"keycloak_id": keycloak_id, "updated_at": Employee.updated_at}
    session.execute(statement.values(values).execution_options(synchronize_session=False))
