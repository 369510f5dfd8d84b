"""What exported rows name beside themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from chassis import schema
from customers.contact.model import Contact, ContactPlace
from customers.customer.model import Customer
from customers.product_line import queries as lines

_NAMES = {"reach": "numbers and codes of colleagues and units, which the directory shows everybody"}


@dataclass(frozen=True)
class Names:
    """Codes and numbers, by id."""

    lines: dict[UUID, str]
    people: dict[UUID, str]
    units: dict[UUID, str]
    parents: dict[UUID, str]


def names(session: Session, customers: Sequence[Customer]) -> Names:
    """What the customers of a page refer to; parents only within reach."""
    held = [assignment for customer in customers for assignment in customer.assignments]
    people, units = schema.org_people.c, schema.org_units.c
    parents = {customer.parent_id for customer in customers if customer.parent_id}
    return Names(
        lines={line.id: line.code for line in lines.all_lines(session)},
        people=_by_id(session, people.id, people.number, {each.owner_id for each in held}, _NAMES),
        units=_by_id(session, units.id, units.code, {each.unit_id for each in held}, _NAMES),
        parents=_by_id(session, Customer.id, Customer.name, parents, {}),
    )


def contacts_at(session: Session, customer_ids: Sequence[UUID]) -> Sequence[Contact]:
    """The contacts of customers, oldest first."""
    at = Contact.places.any(ContactPlace.customer_id.in_(customer_ids))
    wanted = select(Contact).where(at, Contact.deleted_at.is_(None)).order_by(Contact.created_at, Contact.id)
    return session.scalars(wanted.options(selectinload(Contact.places))).all()


def _by_id(session: Session, key: Any, value: Any, wanted: set[Any], options: dict[str, str]) -> dict[UUID, str]:
    if not wanted:
        return {}
    found = session.execute(select(key, value).where(key.in_(wanted)), execution_options=options)
    return {row[0]: row[1] for row in found}
