"""What is done to contact records: log, correct, delete. Refusals first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, creation, guard, ids, masks, outbox
from chassis.call import Call
from chassis.envelope import Envelope
from customers import facts, people
from customers.base import NEVER
from customers.contact import queries as contacts
from customers.contact_record import events, queries
from customers.contact_record.model import ContactRecord
from customers.customer import events as customer_events
from customers.customer import queries as customers
from customers.customer.model import Customer
from customers.product_line import queries as lines
from customers.refusals import refuse

# Clocks of phones run ahead a little.
SKEW = timedelta(minutes=5)


def create_contact_record(call: Call, *, record_id: UUID | None, given: Mapping[str, Any]) -> ContactRecord:
    """Log a contact with a customer within reach; the same again answers the record as it is.

    A touch moves the customer's last contact. Refuses CUSTOMER_UNKNOWN, CONTACT_UNKNOWN, LINE_UNKNOWN,
    TIME_IN_FUTURE, OUT_OF_REACH, ID_TAKEN, ALREADY_EXISTS.
    """
    session, values = call.session, _checked(call.session, given)
    find, taken = queries.find_record, queries.is_taken
    if existing := creation.repeated(session, record_id, values, find=find, taken=taken, field="contact_record.id"):
        return existing
    customer = _customer(call.session, values["customer_id"])
    author = people.find(call.session, call.caller.person_id)
    now = clock.now()
    made = ContactRecord(
        id=record_id or ids.new_id(),
        version=1,
        created_at=now,
        updated_at=now,
        author_id=call.caller.person_id,
        unit_id=author.unit_id if author else None,
        **values,
    )
    call.session.add(made)
    if made.touch:
        customer.contacted(max(customer.last_contact_at, made.contacted_at))
    _follow(call.session, customer, made, events.contact_record_logged(made))
    return made


def update_contact_record(call: Call, *, record_id: UUID, etag: str, changes: Mapping[str, Any]) -> ContactRecord:
    """Correct a contact record: the old is retracted, the new logged. Refuses NOT_AUTHOR and as creation does."""
    record = _own(call, record_id, etag)
    for name, value in _checked(call.session, changes).items():
        setattr(record, name, value)
    if call.session.is_modified(record):
        record.updated_at = clock.now()
        call.session.flush()
        told = (events.contact_record_retracted(record), events.contact_record_logged(record))
        _recount(call.session, record, *told)
    return record


def delete_contact_record(call: Call, *, record_id: UUID, etag: str) -> None:
    """Delete a contact record; it counts no more. Refuses NOT_AUTHOR."""
    record = _own(call, record_id, etag)
    record.deleted_at = clock.now()
    call.session.flush()
    _recount(call.session, record, events.contact_record_retracted(record))


def _own(call: Call, record_id: UUID, etag: str) -> ContactRecord:
    record = queries.get_record(call.session, record_id)
    guard.demand(call.session, record)
    if record.author_id != call.caller.person_id:
        raise refuse("NOT_AUTHOR")
    masks.check_etag(etag, record.version)
    return record


def _checked(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in the form they are kept in."""
    found = dict(given)
    if found.get("contacted_at", NEVER) > clock.now() + SKEW:
        raise refuse("TIME_IN_FUTURE", field="contact_record.contact_time")
    if "next_contact_on" in found:
        found["next_contact_on"] = facts.checked_day(found["next_contact_on"], field="contact_record.next_contact_date")
    if (line_id := found.get("line_id")) and lines.find_line(session, line_id) is None:
        raise refuse.unknown("LINE_UNKNOWN", line_id, field="contact_record.line_id")
    for contact_id in found.get("contact_ids", ()):
        if contacts.find_contact(session, contact_id) is None:
            raise refuse.unknown("CONTACT_UNKNOWN", contact_id, field="contact_record.contact_ids")
    return found


def _customer(session: Session, customer_id: UUID) -> Customer:
    """The customer, which the caller may change. Refuses CUSTOMER_UNKNOWN and OUT_OF_REACH."""
    customer = customers.find_customer(session, customer_id, lock=True)
    if customer is None or customer.deleted_at:
        raise refuse.unknown("CUSTOMER_UNKNOWN", customer_id, field="contact_record.customer_id")
    guard.demand(session, customer)
    return customer


def _recount(session: Session, record: ContactRecord, *told: Envelope) -> None:
    """Let the customer's last contact be what its remaining records say."""
    customer = _customer(session, record.customer_id)
    customer.contacted(queries.last_touch(session, customer.id) or NEVER)
    _follow(session, customer, record, *told)


def _follow(session: Session, customer: Customer, record: ContactRecord, *told: Envelope) -> None:
    """Keep and tell a change of a record, with what changes of its customer."""
    if record.next_contact_on and record.deleted_at is None:
        customer.next_contact_on = record.next_contact_on
    changed = session.is_modified(customer)
    session.flush()
    outbox.publish(session, *told, *([customer_events.customer_changed(customer)] if changed else []))
