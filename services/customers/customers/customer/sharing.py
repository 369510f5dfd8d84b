"""Sharing customers with colleagues, and ending it. Refusals first."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from chassis import clock, creation, guard, ids, schema, turns
from chassis.call import Call
from customers import facts, people
from customers.customer import queries
from customers.customer.model import Customer, Share
from customers.refusals import refuse

_EXEMPT = {"reach": "the access that a share gives"}


def create_share(
    call: Call, *, share_id: UUID | None, customer_id: UUID, person_id: UUID, level: int, end_date: str, note: str
) -> Share:
    """Share a customer with a colleague until the end of a day in their zone; the same again answers the share.

    With whom it is shared already, that share gets this level, day and note. Refuses NOT_FOUND, OUT_OF_REACH,
    NOT_ONESELF, PERSON_UNKNOWN, DATE_IN_PAST, ALREADY_EXISTS, ID_TAKEN.
    """
    queries.get_customer(call.session, customer_id)
    guard.demand_key(call.session, Customer, customer_id)
    if person_id == call.caller.person_id:
        raise refuse("NOT_ONESELF", field="share.person_id")
    end = facts.checked_day(end_date, field="share.end_date")
    values = {"customer_id": customer_id, "person_id": person_id, "level": level, "end_on": end, "note": note}
    find, taken = queries.share_by_id, queries.is_share_taken
    if existing := creation.repeated(call.session, share_id, values, find=find, taken=taken, field="share.id"):
        return existing
    demand_end(call.session, person_id, end, fields=("share.person_id", "share.end_date"))
    turns.wait(call.session, "share", customer_id)
    if standing := queries.find_share(call.session, customer_id, person_id):
        return _changed(call, standing, values)
    made = Share(id=share_id or ids.new_id(), shared_by=call.caller.person_id, created_at=clock.now(), **values)
    keep(call.session, made)
    return made


def _changed(call: Call, share: Share, values: Mapping[str, Any]) -> Share:
    """A share with other values, and the access that it gives."""
    for name, value in values.items():
        setattr(share, name, value)
    if call.session.is_modified(share):
        share.shared_by = call.caller.person_id
        call.session.flush()
        table, given = schema.access, _access(call.session, share)
        changed = update(table).where(table.c.source == "share", table.c.source_id == share.id).values(**given)
        call.session.execute(changed, execution_options=_EXEMPT)
    return share


def demand_end(session: Session, person_id: UUID, end: date | None, *, fields: tuple[str, str]) -> None:
    """Refuse PERSON_UNKNOWN somebody not at work, and DATE_IN_PAST a last day that is over for them.

    `fields` are those of the person and of the day; empty where the request has none.
    """
    colleague = people.active(session, person_id, reason="PERSON_UNKNOWN", field=fields[0])
    if end:
        today = clock.today(people.unit_zone(session, colleague.unit_id))
        facts.demand_not_before(end, today, field=fields[1], is_=("今天", "today"))


def keep(session: Session, share: Share) -> None:
    """Keep a share and give the access."""
    session.add(share)
    session.flush()
    row = {"entity": "customer", "entity_id": share.customer_id, "person_id": share.person_id, "source": "share"}
    row |= {"source_id": share.id, **_access(session, share)}
    session.execute(insert(schema.access).values(**row), execution_options=_EXEMPT)


def _access(session: Session, share: Share) -> dict[str, Any]:
    """How far a share goes, and until when."""
    zone = people.zone_of(session, share.person_id)
    return {"writes": share.writes, "expires_at": clock.end_of_day(share.end_on, zone) if share.end_on else None}


def delete_share(call: Call, *, customer_id: UUID, share_id: UUID) -> None:
    """End a share at once."""
    share = queries.share_of(call.session, customer_id, share_id)
    guard.demand_key(call.session, Customer, customer_id)
    call.session.delete(share)
    table = schema.access
    ended = delete(table).where(table.c.source == "share", table.c.source_id == share_id)
    call.session.execute(ended, execution_options=_EXEMPT)
