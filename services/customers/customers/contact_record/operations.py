"""What is done to contact records: log, correct, delete, restore. Refusals first."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from chassis import clock, creation, files, guard, ids, masks, outbox
from chassis.call import Call
from chassis.envelope import Envelope
from customers import facts, people
from customers.base import NEVER
from customers.contact import queries as contacts
from customers.contact_record import events, queries
from customers.contact_record.model import ContactRecord
from customers.contact_record.queries import Said
from customers.customer import events as customer_events
from customers.customer import queries as customers
from customers.customer.model import Customer
from customers.product_line import queries as lines
from customers.refusals import refuse

# Clocks of phones run ahead a little; what lies before the first is a wrong clock.
SKEW, FIRST = timedelta(minutes=5), datetime(2000, 1, 1, tzinfo=UTC)


def create_contact_record(call: Call, *, record_id: UUID | None, given: Mapping[str, Any]) -> ContactRecord:
    """Log a contact with a customer within reach; the same again answers the record as it is.

    A touch moves the customer's last contact, and the newest record with a next contact day says the customer's.
    Refuses CUSTOMER_UNKNOWN, MERGED_INTO, CONTACT_UNKNOWN, CONTACT_NOT_THERE, LINE_UNKNOWN, TIME_IN_FUTURE,
    TIME_TOO_EARLY, DATE_IN_PAST, FILE_UNKNOWN, OUT_OF_REACH, ID_TAKEN, ALREADY_EXISTS.
    """
    session, values = call.session, _checked(call.session, given)
    find, taken = queries.find_record, queries.is_taken
    if existing := creation.repeated(session, record_id, values, find=find, taken=taken, field="contact_record.id"):
        return existing
    customer = _customer(call.session, values["customer_id"])
    _check_relations(call, customer.id, values, values["contacted_at"])
    before = queries.said(call.session, customer) if values.get("next_contact_on") else None
    author = people.find(call.session, call.caller.person_id)
    now = clock.now()
    made = ContactRecord(
        id=record_id or ids.new_id(),
        version=1,
        created_at=now,
        updated_at=now,
        author_id=call.caller.person_id,
        unit_id=author.unit_id if author else None,
        said_at=now if before else None,
        **values,
    )
    call.session.add(made)
    after = _said(call.session, customer) if before else None
    if made.touch:
        customer.contacted(max(customer.last_contact_at, made.contacted_at))
    if before and after:
        _follow(customer, made, before, after, anew=True)
    _tell(call.session, customer, events.contact_record_logged(made))
    return made


def update_contact_record(call: Call, *, record_id: UUID, etag: str, changes: Mapping[str, Any]) -> ContactRecord:
    """Correct a contact record: the old is retracted, the new logged. Refuses NOT_AUTHOR and as creation does."""
    record, customer = _own(call, record_id, etag)
    values, before = _checked(call.session, changes), queries.said(call.session, customer)
    changed = {name: value for name, value in values.items() if value != getattr(record, name)}
    _check_relations(call, customer.id, changed, changed.get("contacted_at", record.contacted_at))
    for name, value in changed.items():
        setattr(record, name, value)
    if "next_contact_on" in changed:
        record.said_at = clock.now()
    if changed:
        record.updated_at = clock.now()
        call.session.flush()
        told = (events.contact_record_retracted(record), events.contact_record_logged(record))
        _recount(call.session, customer, record, before, *told, anew="next_contact_on" in changed)
    return record


def delete_contact_record(call: Call, *, record_id: UUID, etag: str) -> None:
    """Delete a contact record; it counts no more, nor does the day it set. Refuses NOT_AUTHOR."""
    record, customer = _own(call, record_id, etag)
    before = queries.said(call.session, customer)
    record.deleted_at = clock.now()
    call.session.flush()
    _recount(call.session, customer, record, before, events.contact_record_retracted(record))


def restore_contact_record(call: Call, *, record_id: UUID) -> ContactRecord:
    """Bring a deleted contact record back; it counts again, and so does the day it set.

    Refuses NOT_FOUND, OUT_OF_REACH, NOT_AUTHOR, NOT_DELETED, and CUSTOMER_UNKNOWN where its customer is deleted.
    """
    record, customer = _own(call, record_id, "*", deleted=True)
    if record.deleted_at is None:
        raise refuse("NOT_DELETED")
    before = queries.said(call.session, customer)
    record.deleted_at = None
    record.updated_at = clock.now()
    call.session.flush()
    _recount(call.session, customer, record, before, events.contact_record_logged(record))
    return record


def _own(call: Call, record_id: UUID, etag: str, *, deleted: bool = False) -> tuple[ContactRecord, Customer]:
    """The caller's own record and its customer, locked."""
    record = queries.get_record(call.session, record_id, deleted=deleted)
    guard.demand(call.session, record)
    if record.author_id != call.caller.person_id:
        raise refuse("NOT_AUTHOR")
    masks.check_etag(etag, record.version)
    return record, _customer(call.session, record.customer_id)


def _checked(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in the form they are kept in."""
    found = dict(given)
    if found.get("contacted_at", NEVER) > clock.now() + SKEW:
        raise refuse("TIME_IN_FUTURE", field="contact_record.contact_time")
    if found.get("contacted_at", FIRST) < FIRST:
        raise refuse("TIME_TOO_EARLY", field="contact_record.contact_time")
    if "next_contact_on" in found:
        found["next_contact_on"] = facts.checked_day(found["next_contact_on"], field="contact_record.next_contact_date")
    if (line_id := found.get("line_id")) and lines.find_line(session, line_id) is None:
        raise refuse.unknown("LINE_UNKNOWN", line_id, field="contact_record.line_id")
    return found


def _check_relations(call: Call, customer_id: UUID, given: Mapping[str, Any], contacted_at: datetime) -> None:
    """What a record says beside itself: contacts at its customer, photos of the caller's, a day not before its own."""
    for contact_id in given.get("contact_ids", ()):
        contact = contacts.find_contact(call.session, contact_id)
        if contact is None:
            raise refuse.unknown("CONTACT_UNKNOWN", contact_id, field="contact_record.contact_ids")
        if customer_id not in {place.customer_id for place in contact.places}:
            raise refuse("CONTACT_NOT_THERE", field="contact_record.contact_ids")
    for key in given.get("photo_keys", ()):
        if not files.is_of(key, call.caller.person_id) or not files.exists(key):
            raise refuse("FILE_UNKNOWN", field="contact_record.photo_keys")
    if day := given.get("next_contact_on"):
        zone = ZoneInfo(people.zone_of(call.session, call.caller.person_id))
        contacted_on, is_ = contacted_at.astimezone(zone).date(), ("联系当天", "the day of the contact")
        facts.demand_not_before(day, contacted_on, field="contact_record.next_contact_date", is_=is_)


def _customer(session: Session, customer_id: UUID) -> Customer:
    """The customer, which the caller may change. Refuses CUSTOMER_UNKNOWN, MERGED_INTO and OUT_OF_REACH."""
    customer = customers.find_customer(session, customer_id, lock=True)
    if customer is None or customer.deleted_at:
        raise customers.missing(session, customer_id, "CUSTOMER_UNKNOWN", field="contact_record.customer_id")
    guard.demand(session, customer)
    return customer


def _recount(
    session: Session, customer: Customer, record: ContactRecord, before: Said, *told: Envelope, anew: bool = False
) -> None:
    """Let the customer's last contact and next day be what its remaining records say."""
    after = _said(session, customer)
    customer.contacted(queries.last_touch(session, customer.id) or NEVER)
    _follow(customer, record, before, after, anew=anew)
    _tell(session, customer, *told)


def _said(session: Session, customer: Customer) -> Said:
    """What is said by now, a new record kept: before its customer is changed, whose version rises once."""
    session.flush()
    return queries.said(session, customer)


def _follow(customer: Customer, record: ContactRecord, before: Said, after: Said, *, anew: bool) -> None:
    """Let the customer's next day follow a record that comes to say it, or says it no more.

    The day of the newest contact that says one is the customer's, until somebody gives the customer another. A record
    that says its day `anew` takes the place of that one too. Where the record falls away, what stood before comes back:
    the day that somebody gave the customer, or that of an older record, whichever was said later. One that is restored
    finds its place again unless somebody gave the customer another day meanwhile.
    """
    stands = customer.next_contact_on == before.next_contact_on
    says = anew and after.record_id == record.id
    if says and not stands:
        customer.displaced_contact_on, customer.displaced_at = customer.next_contact_on, record.said_at
    if says or (stands and record.id in (before.record_id, after.record_id)):
        customer.next_contact_on = after.next_contact_on


def _tell(session: Session, customer: Customer, *told: Envelope) -> None:
    """Keep and tell a change of a record, with what changes of its customer."""
    changed = session.is_modified(customer)
    session.flush()
    outbox.publish(session, *told, *([customer_events.customer_changed(customer)] if changed else []))
