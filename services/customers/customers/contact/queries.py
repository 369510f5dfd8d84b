"""Every select of contacts."""

from collections.abc import Collection, Sequence, Set
from datetime import date
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, select
from sqlalchemy.orm import Session, selectinload

from chassis import paging
from chassis.call import Call
from chassis.caller import Place
from chassis.listing import Order
from customers.contact.model import Contact, ContactPlace, Reveal
from customers.customer.model import Assignment, Customer
from customers.customer.queries import OF_REACHED
from customers.refusals import refuse
from tongxiao.customers.v1 import contact_pb2 as pb

ORDER = Order("create_time", "created_at", descending=True)


def find_contact(session: Session, contact_id: UUID, *, deleted: bool = False) -> Contact | None:
    """The contact, with places, if the caller may read it and it is not deleted; or even then."""
    wanted = select(Contact).where(Contact.id == contact_id)
    wanted = wanted if deleted else wanted.where(Contact.deleted_at.is_(None))
    return session.scalars(wanted.options(selectinload(Contact.places))).one_or_none()


def get_contact(session: Session, contact_id: UUID, *, deleted: bool = False) -> Contact:
    found = find_contact(session, contact_id, deleted=deleted)
    if found is None:
        raise refuse.unknown("NOT_FOUND", contact_id)
    return found


def is_taken(session: Session, contact_id: UUID) -> bool:
    wanted = select(Contact.id).where(Contact.id == contact_id)
    return session.scalar(wanted.execution_options(reach="whether an id is taken; no more is said")) is not None


_OF_CUSTOMER = (
    select(Contact)
    .join(ContactPlace, ContactPlace.contact_id == Contact.id)
    .where(ContactPlace.customer_id == bindparam("customer_id", type_=Uuid()), Contact.deleted_at.is_(None))
    .order_by(ContactPlace.position, Contact.created_at, Contact.id)
    .limit(bindparam("most", type_=Integer()))
    .options(selectinload(Contact.places))
)


def contacts_of(session: Session, customer_id: UUID, *, limit: int = 50) -> Sequence[Contact]:
    """The contacts of a customer within reach, main places first."""
    values = {"customer_id": customer_id, "most": limit}
    return session.scalars(_OF_CUSTOMER, values, execution_options=OF_REACHED).all()


def list_contacts(call: Call, request: pb.ListContactsRequest) -> tuple[Sequence[Contact], str]:
    """A page of contacts within reach, newest first."""
    cursor = paging.Cursor(call, request, ORDER)
    wanted = select(Contact).where(Contact.deleted_at.is_(None)).options(selectinload(Contact.places))
    if request.customer_id:
        wanted = wanted.where(Contact.places.any(ContactPlace.customer_id == UUID(request.customer_id)))
    if request.query:
        wanted = wanted.where(Contact.name.contains(request.query, autoescape=True))
    return cursor.page(call.session, wanted, Contact)


def readable_customers(session: Session, customer_ids: set[UUID]) -> set[UUID]:
    """Those of the customers that the caller may read."""
    wanted = select(Customer.id).where(Customer.id.in_(customer_ids), Customer.deleted_at.is_(None))
    return set(session.scalars(wanted))


def places_at(session: Session, customer_ids: Set[UUID]) -> dict[UUID, list[Place]]:
    """Owners and units of customers that the caller may read."""
    wanted = select(Assignment.customer_id, Assignment.owner_id, Assignment.unit_id)
    found: dict[UUID, list[Place]] = {}
    for customer_id, owner_id, unit_id in session.execute(wanted.where(Assignment.customer_id.in_(customer_ids))):
        found.setdefault(customer_id, []).append((owner_id, unit_id))
    return found


def by_mobile_at(
    session: Session, customer_ids: Collection[UUID], mobiles: Collection[str]
) -> dict[tuple[UUID, str], UUID]:
    """The contacts at any of these customers with any of these mobiles, by both."""
    wanted = select(ContactPlace.customer_id, Contact.mobile, Contact.id).join(Contact)
    wanted = wanted.where(ContactPlace.customer_id.in_(customer_ids), Contact.mobile.in_(mobiles))
    options = {"reach": "contacts at customers that get another; no more is said than that it is there"}
    rows = session.execute(wanted.where(Contact.deleted_at.is_(None)), execution_options=options)
    return {(row.customer_id, row.mobile): row.id for row in rows}


def revealed_on(session: Session, person_id: UUID, day: date) -> set[UUID]:
    """The contacts that a person has revealed on a day."""
    wanted = select(Reveal.contact_id).where(Reveal.person_id == person_id, Reveal.day == day)
    return set(session.scalars(wanted.execution_options(reach="a person's own reveals")))
