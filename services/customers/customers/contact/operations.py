"""What is done to contacts: create, change, delete, reveal. Refusals first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import audit, caller, clock, creation, fields, guard, ids, masks, outbox, turns
from chassis.call import Call
from customers import facts, people
from customers.contact import events, present, queries
from customers.contact.model import Contact, ContactPlace, Reveal
from customers.customer.model import Customer
from customers.customer.queries import missing
from customers.refusals import refuse


@dataclass(frozen=True)
class Place:
    """A place as asked for."""

    customer_id: UUID
    role: int
    job_title: str
    department: str


def create_contact(
    call: Call, *, contact_id: UUID | None, given: Mapping[str, Any], places: Sequence[Place]
) -> Contact:
    """Create a contact at customers within reach; the same again answers the contact as it is.

    Of two places at one customer the later holds, as when a contact is changed.
    Refuses CUSTOMER_UNKNOWN, OUT_OF_REACH, ID_TAKEN, ALREADY_EXISTS, CONTACT_EXISTS a mobile that somebody at
    such a customer has, and wrong facts.
    """
    values = checked(given)
    places = list({place.customer_id: place for place in places}.values())
    find, taken = queries.find_contact, queries.is_taken
    wanted = {**values, "placed": [astuple(place) for place in places]}
    if existing := creation.repeated(call.session, contact_id, wanted, find=find, taken=taken, field="contact.id"):
        return existing
    at = {place.customer_id for place in places}
    _check_customers(call.session, at)
    for known in present.found(call, at, [values["mobile"]]).values():
        raise present.refusal(call, known)
    made = build(contact_id=contact_id, values=values, places=places)
    keep(call, [made])
    return made


def build(*, contact_id: UUID | None, values: Mapping[str, Any], places: Sequence[Place]) -> Contact:
    """A contact of checked facts, not yet kept."""
    now = clock.now()
    made = Contact(id=contact_id or ids.new_id(), version=1, created_at=now, updated_at=now, **values)
    made.places = [_place(made.id, at, place) for at, place in enumerate(places)]
    return made


def keep(call: Call, contacts: Sequence[Contact]) -> None:
    """Keep new contacts, at customers that the caller may change, and tell of them."""
    call.session.add_all(contacts)
    call.session.flush()
    outbox.publish(call.session, *(events.contact_changed(contact) for contact in contacts))


def update_contact(
    call: Call, *, contact_id: UUID, etag: str, changes: Mapping[str, Any], places: Sequence[Place] | None
) -> Contact:
    """Change a contact, and where they are if `places` is given.

    A number that the caller is shown in part may be given anew; whether it is the same as before, nothing tells.
    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, FIELD_NOT_READABLE, MASKED_VALUE, CUSTOMER_UNKNOWN and wrong
    facts.
    """
    contact = queries.get_contact(call.session, contact_id)
    guard.demand(call.session, contact)
    masks.check_etag(etag, contact.version)
    edited = editable(call, contact, changes)
    if places is not None:
        _replace_places(call.session, contact, places)
    return apply_changes(call, contact, edited)


def editable(call: Call, contact: Contact, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes apart from fields that come back as they are shown. Refuses FIELD_NOT_READABLE."""
    return fields.editable(call, contact, changes, _lying(call, contact))


def _lying(call: Call, contact: Contact) -> Iterator[caller.Place]:
    """Where a contact lies: wherever the customers do that they are at, as far as the caller reads these."""
    lying = queries.places_at(call.session, {place.customer_id for place in contact.places})
    yield from (place for found in lying.values() for place in found)


def apply_changes(call: Call, contact: Contact, changes: Mapping[str, Any]) -> Contact:
    """Change the facts of a contact that the caller may change; wrong facts are refused."""
    wanted = checked(changes)
    same = {name for name, value in wanted.items() if value == getattr(contact, name)}
    for name in fields.unseen(call, contact, same, _lying(call, contact)):
        audit.told_anew(contact, name)
    for name, value in wanted.items():
        setattr(contact, name, value)
    if call.session.is_modified(contact):
        contact.updated_at = clock.now()
        call.session.flush()
        outbox.publish(call.session, events.contact_changed(contact))
    return contact


def delete_contact(call: Call, *, contact_id: UUID, etag: str) -> None:
    """Delete a contact, restorable for 30 days."""
    contact = queries.get_contact(call.session, contact_id)
    guard.demand(call.session, contact)
    masks.check_etag(etag, contact.version)
    contact.deleted_at = clock.now()
    call.session.flush()
    outbox.publish(call.session, events.contact_gone(contact))


def restore_contact(call: Call, *, contact_id: UUID) -> Contact:
    """Bring a deleted contact back. Refuses NOT_FOUND, OUT_OF_REACH, and NOT_DELETED one that is there."""
    contact = queries.get_contact(call.session, contact_id, deleted=True)
    guard.demand(call.session, contact)
    if contact.deleted_at is None:
        raise refuse("NOT_DELETED")
    contact.deleted_at = None
    contact.updated_at = clock.now()
    call.session.flush()
    outbox.publish(call.session, events.contact_changed(contact))
    return contact


def reveal_contact(call: Call, *, contact_id: UUID, per_day: int) -> tuple[Contact, int]:
    """A contact whose numbers may now be shown in clear, and how many more may be revealed today.

    Audited. The same contact counts once a day. Refuses NOT_FOUND, OUT_OF_REACH and REVEAL_LIMIT.
    """
    contact = queries.get_contact(call.session, contact_id)
    guard.demand(call.session, contact)
    today = clock.today(people.zone_of(call.session, call.caller.person_id))
    turns.wait(call.session, "reveal", call.caller.person_id)
    revealed = queries.revealed_on(call.session, call.caller.person_id, today)
    if contact_id not in revealed:
        if len(revealed) >= per_day:
            raise people.limited(call.session, call.caller.person_id, "REVEAL_LIMIT", per_day)
        call.session.add(Reveal(person_id=call.caller.person_id, day=today, contact_id=contact_id))
        revealed.add(contact_id)
    audit.record(call.session, "RevealContact", contact, {"revealed": True})
    return contact, per_day - len(revealed)


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in the form they are kept in; refuses MASKED_VALUE a mask that came back."""
    found = dict(given)
    for name in ("mobile", "phone", "email", "wechat", "birthday"):
        if fields.is_masked(found.get(name, "")):
            raise refuse("MASKED_VALUE", field=f"contact.{name}")
    for name in ("mobile", "phone"):
        if name in found:
            found[name] = facts.checked_phone(found[name], field=f"contact.{name}")
    if birthday := found.get("birthday"):
        day = facts.checked_day(birthday.replace("--", "2000-", 1), field="contact.birthday")
        if day and day > clock.today():
            raise refuse("DATE_IN_FUTURE", field="contact.birthday")
    return found


def _check_customers(session: Session, customer_ids: set[UUID]) -> None:
    """Refuse CUSTOMER_UNKNOWN customers that the caller cannot read, MERGED_INTO and OUT_OF_REACH."""
    for unknown in sorted(customer_ids - queries.readable_customers(session, customer_ids)):
        raise missing(session, unknown, "CUSTOMER_UNKNOWN", field="contact.places")
    for customer_id in customer_ids:
        guard.demand_key(session, Customer, customer_id)


def _replace_places(session: Session, contact: Contact, places: Sequence[Place]) -> None:
    """Put a contact at other customers; places at customers one cannot see stay as they are."""
    kept = {place.customer_id: place for place in contact.places}
    _check_customers(session, {place.customer_id for place in places} - kept.keys())
    hidden = kept.keys() - queries.readable_customers(session, set(kept))
    wanted = {place.customer_id: place for place in places}
    contact.places = [place for place in contact.places if place.customer_id in wanted.keys() | hidden]
    for at, (customer_id, place) in enumerate(wanted.items()):
        if customer_id in kept:
            found = kept[customer_id]
            found.position, found.role = at, place.role
            found.job_title, found.department = place.job_title, place.department
        else:
            contact.places.append(_place(contact.id, at, place))
    contact.updated_at = clock.now()


def _place(contact_id: UUID, at: int, place: Place) -> ContactPlace:
    return ContactPlace(
        id=ids.new_id(),
        contact_id=contact_id,
        customer_id=place.customer_id,
        position=at,
        role=place.role,
        job_title=place.job_title,
        department=place.department,
    )
