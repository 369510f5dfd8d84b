"""What others may fill their projections from: customers, contacts, product lines and logged contacts."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from chassis import outbox
from chassis.envelope import Envelope
from chassis.ids import NIL
from chassis.snapshot import Item, Source
from customers.contact import events as contact_events
from customers.contact.model import Contact
from customers.contact_record import events as record_events
from customers.contact_record.model import ContactRecord
from customers.customer import events as customer_events
from customers.customer.model import Customer
from customers.joining import events as join_events
from customers.joining.model import JoinRequest
from customers.product_line import events as line_events
from customers.product_line.model import ProductLine
from customers.registration import events as registration_events
from customers.registration.model import Registration


def _pages(
    entity: Any, told: Callable[[Any], Envelope], *loading: Any
) -> Callable[[Session, str, int], Sequence[Item]]:
    """Pages of a class's rows by id, each told as an event."""

    def page(session: Session, after: str, limit: int) -> Sequence[Item]:
        wanted = select(entity).where(entity.id > (after or NIL)).order_by(entity.id).limit(limit).options(*loading)
        return [Item(str(row.id), told(row)) for row in session.scalars(wanted)]

    return page


def _customer(row: Customer) -> Envelope:
    return customer_events.customer_gone(row) if row.deleted_at else customer_events.customer_changed(row)


def _contact(row: Contact) -> Envelope:
    return contact_events.contact_gone(row) if row.deleted_at else contact_events.contact_changed(row)


def _record(row: ContactRecord) -> Envelope:
    """The fact under the record's own id; a deleted record is told as retracted."""
    if row.deleted_at:
        return record_events.contact_record_retracted(row)
    return outbox.fact("customers", record_events.LOGGED, record_events.logged(row), subject=row.customer_id, id=row.id)


SOURCES = (
    Source(
        type=customer_events.CHANGED,
        page=_pages(Customer, _customer, selectinload(Customer.assignments)),
        versions=select(Customer.id, Customer.version),
    ),
    Source(
        type=contact_events.CHANGED,
        page=_pages(Contact, _contact, selectinload(Contact.places)),
        versions=select(Contact.id, Contact.version),
    ),
    Source(
        type=line_events.CHANGED,
        page=_pages(ProductLine, line_events.product_line_changed),
        versions=select(ProductLine.id, ProductLine.version),
    ),
    Source(
        type=join_events.CHANGED,
        page=_pages(JoinRequest, join_events.join_request_changed),
        versions=select(JoinRequest.id, JoinRequest.version),
    ),
    Source(
        type=registration_events.CHANGED,
        page=_pages(Registration, registration_events.registration_changed),
        versions=select(Registration.id, Registration.version),
    ),
    Source(type=record_events.LOGGED, page=_pages(ContactRecord, _record)),
)
