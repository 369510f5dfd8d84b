"""Every select of merges: the two customers' children, found apart from reach once every line of both was demanded."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, func, select
from sqlalchemy.orm import Session, selectinload

from chassis import schema
from chassis.arrays import uuids
from customers.contact.model import Contact, ContactPlace
from customers.customer.model import AssignmentPeriod, Customer
from customers.joining.model import JoinRequest
from customers.merging.model import Merge
from customers.registration.model import Registration

CHILDREN = {"reach": "children of two customers, every line of which is within reach"}


def lock(session: Session, customer_ids: Collection[UUID]) -> None:
    """Let nothing else change these customers, or come to them, meanwhile."""
    table = Customer.__table__.c
    wanted = select(table.id).where(table.id.in_(list(customer_ids))).order_by(table.id).with_for_update()
    session.execute(wanted, execution_options=CHILDREN)


def merge_of(session: Session, loser_id: UUID) -> Merge | None:
    """The merge by which a customer went into another, unless it was taken back."""
    wanted = select(Merge).where(Merge.loser_id == loser_id, Merge.undone_at.is_(None))
    return session.scalars(wanted.execution_options(**CHILDREN)).one_or_none()


def loser_of(session: Session, merge: Merge) -> Customer:
    """The customer that was merged, without assignments: it has none."""
    return session.scalars(select(Customer).where(Customer.id == merge.loser_id).execution_options(**CHILDREN)).one()


def giving_way(session: Session, cls: Any, *, key: str, winner_id: UUID, loser_id: UUID) -> Sequence[Row[Any]]:
    """Rows of the loser whose like, by a key, the winner has already."""
    table: Table = cls.__table__
    of_winner = select(table.c[key]).where(table.c.customer_id == winner_id)
    wanted = select(table).where(table.c.customer_id == loser_id, table.c[key].in_(of_winner)).order_by(table.c.id)
    return session.execute(wanted, execution_options=CHILDREN).all()


def access_of(session: Session, share_ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """What the shares give."""
    table = schema.access
    wanted = select(table).where(table.c.source == "share", table.c.source_id == func.any(uuids(share_ids)))
    return session.execute(wanted, execution_options=CHILDREN).all()


def open_periods(session: Session, customer_id: UUID) -> dict[UUID, UUID]:
    """The stretches that go on, by line."""
    table: Any = AssignmentPeriod.__table__.c
    wanted = select(table.line_id, table.id).where(table.customer_id == customer_id, table.ended_at.is_(None))
    return {row.line_id: row.id for row in session.execute(wanted, execution_options=CHILDREN)}


def contacts_at(session: Session, place_ids: Collection[UUID], contact_ids: Collection[UUID]) -> Sequence[Contact]:
    """The contacts of these places, and these, as they are now."""
    of_places = select(ContactPlace.contact_id).where(ContactPlace.id == func.any(uuids(place_ids)))
    wanted = select(Contact).where((Contact.id == func.any(uuids(contact_ids))) | Contact.id.in_(of_places))
    fresh = {**CHILDREN, "populate_existing": True}
    return session.scalars(wanted.options(selectinload(Contact.places)), execution_options=fresh).all()


def customers_now(session: Session, customer_ids: Collection[UUID]) -> Sequence[Customer]:
    wanted = select(Customer).where(Customer.id == func.any(uuids(customer_ids)))
    fresh = {**CHILDREN, "populate_existing": True}
    return session.scalars(wanted.options(selectinload(Customer.assignments)), execution_options=fresh).all()


def requests_now(session: Session, ids: Collection[UUID]) -> Sequence[JoinRequest]:
    wanted = select(JoinRequest).where(JoinRequest.id == func.any(uuids(ids)))
    return session.scalars(wanted, execution_options={**CHILDREN, "populate_existing": True}).all()


def registrations_now(session: Session, ids: Collection[UUID]) -> Sequence[Registration]:
    wanted = select(Registration).where(Registration.id == func.any(uuids(ids)))
    return session.scalars(wanted, execution_options={**CHILDREN, "populate_existing": True}).all()
