"""ContactsService: message → arguments → operation → message."""

from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import clock, fields, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.contact import operations, queries
from customers.contact.model import Contact, ContactPlace
from customers.contact.operations import Place
from tongxiao.customers.v1 import contact_pb2 as pb

VALUES = (
    *("name", "name_en", "mobile", "phone", "email", "wechat", "birthday"),
    *("email_consent", "phone_consent", "note"),
)
CHANGEABLE = (*VALUES, "places")


@one_statement
def get_contact(request: pb.GetContactRequest, call: Call) -> pb.Contact:
    return to_message(queries.get_contact(call.session, UUID(request.id)), call)


@one_statement
def list_contacts(request: pb.ListContactsRequest, call: Call) -> pb.ListContactsResponse:
    found, token = queries.list_contacts(call, request)
    return pb.ListContactsResponse(contacts=to_messages(found, call), next_page_token=token)


def create_contact(request: pb.CreateContactRequest, call: Call) -> pb.Contact:
    given = request.contact
    values = {name: getattr(given, name) for name in VALUES}
    contact = operations.create_contact(
        call, contact_id=parse_id(given.id), given=values, places=[_place(place) for place in given.places]
    )
    return to_message(contact, call)


def update_contact(request: pb.UpdateContactRequest, call: Call) -> pb.Contact:
    given = request.contact
    names = masks.named_fields(given, request.update_mask, allowed=CHANGEABLE)
    contact = operations.update_contact(
        call,
        contact_id=UUID(given.id),
        etag=given.etag,
        changes={name: getattr(given, name) for name in names if name != "places"},
        places=[_place(place) for place in given.places] if "places" in names else None,
    )
    return to_message(contact, call)


def delete_contact(request: pb.DeleteContactRequest, call: Call) -> Empty:
    operations.delete_contact(call, contact_id=UUID(request.id), etag=request.etag)
    return Empty()


def restore_contact(request: pb.RestoreContactRequest, call: Call) -> pb.Contact:
    return to_message(operations.restore_contact(call, contact_id=UUID(request.id)), call)


def reveal_contact(request: pb.RevealContactRequest, call: Call) -> pb.RevealContactResponse:
    contact, remaining = operations.reveal_contact(call, contact_id=UUID(request.id), per_day=reveals_per_day)
    return pb.RevealContactResponse(
        mobile=contact.mobile,
        phone=contact.phone,
        email=contact.email,
        wechat=contact.wechat,
        remaining_today=remaining,
    )


# The setting of this name, put here at start-up.
reveals_per_day = 50


def to_messages(contacts: Any, call: Call, *, known: Set[UUID] = frozenset()) -> list[pb.Contact]:
    """The contacts as this caller may see them, without places at customers beyond their reach.

    Of the customers `known` it is known that they are within.
    """
    places = {place.customer_id for contact in contacts for place in contact.places} - known
    readable = known | (queries.readable_customers(call.session, places) if places else set())
    matter = fields.places_matter(call, pb.Contact.DESCRIPTOR)
    lying = queries.places_at(call.session, readable) if matter else {}
    return [_message(contact, call, readable, lying) for contact in contacts]


def to_message(contact: Contact, call: Call) -> pb.Contact:
    return to_messages([contact], call)[0]


def _message(contact: Contact, call: Call, readable: Set[UUID], lying: Mapping[UUID, list[Any]]) -> pb.Contact:
    message = pb.Contact(
        id=str(contact.id),
        name=contact.name,
        name_en=contact.name_en,
        places=[_place_message(place) for place in contact.places if place.customer_id in readable],
        mobile=contact.mobile,
        phone=contact.phone,
        email=contact.email,
        wechat=contact.wechat,
        birthday=contact.birthday,
        email_consent=contact.email_consent,  # type: ignore[arg-type]
        phone_consent=contact.phone_consent,  # type: ignore[arg-type]
        note=contact.note,
        etag=masks.etag(contact.version),
        create_time=clock.stamp(contact.created_at),
        update_time=clock.stamp(contact.updated_at),
    )
    fields.govern(call, message, [found for at in contact.places for found in lying.get(at.customer_id, ())])
    return message


def _place(given: pb.ContactPlace) -> Place:
    return Place(UUID(given.customer_id), given.role, given.job_title, given.department)


def _place_message(place: ContactPlace) -> pb.ContactPlace:
    return pb.ContactPlace(
        customer_id=str(place.customer_id),
        role=place.role,  # type: ignore[arg-type]
        job_title=place.job_title,
        department=place.department,
    )
