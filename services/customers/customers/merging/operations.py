"""Merging two customers, and taking it back. Refusals first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from chassis import clock, closing, fields, guard, masks, outbox
from chassis.arrays import uuids
from chassis.call import Call
from chassis.caller import FieldAccess
from customers.base import NEVER
from customers.contact import events as contact_events
from customers.contact.model import Contact
from customers.contact_record import queries as records
from customers.customer import events as customer_events
from customers.customer import queries as customers
from customers.customer.attributes import ATTRIBUTES
from customers.customer.model import Customer
from customers.duplicate import operations as duplicates
from customers.joining import events as join_events
from customers.merging import events, moving, queries, rows
from customers.merging.model import Merge
from customers.refusals import refuse
from customers.registration import events as registration_events
from tongxiao.customers.v1 import customer_pb2

# For how long a merge can be taken back.
UNDOABLE = timedelta(days=30)
# Tags are joined; the rest of a customer's facts may be taken.
TAKABLE = tuple(name for name in ATTRIBUTES if name != "tags")


def merge_customer(
    call: Call,
    *,
    winner_id: UUID,
    loser_id: UUID,
    take_fields: Sequence[str],
    take_line_ids: Iterable[UUID],
    etag: str,
) -> Customer:
    """Merge a customer into another, which keeps its facts but for those taken; every child moves, none is doubled.

    Refuses NOT_FOUND, MERGED_INTO, OUT_OF_REACH unless every line of both is within reach, VERSION_MISMATCH,
    MERGE_ITSELF, FIELD_NOT_TAKEN, FIELD_NOT_READABLE and PARENT_CIRCLE.
    """
    if winner_id == loser_id:
        raise refuse("MERGE_ITSELF", field="loser_id")
    session = call.session
    queries.lock(session, (winner_id, loser_id))
    winner = _managed(session, winner_id)
    masks.check_etag(etag, winner.version)
    loser = _managed(session, loser_id)
    _demand_takable(call, take_fields)
    _demand_no_circle(session, winner, loser, take_fields)
    facts = _take(session, winner, loser, [ATTRIBUTES[name] for name in take_fields])
    lines = moving.take_lines(session, winner, loser, taken=set(take_line_ids), now=clock.now())
    children = moving.move_all(session, winner_id=winner_id, loser_id=loser_id)
    record = {"facts": facts, "lines": lines, **children}
    merge = Merge(winner_id=winner_id, loser_id=loser_id, merged_by=call.caller.person_id, record=record)
    session.add(merge)
    session.flush()
    _tell(session, children["moved"], children["removed"], but=(winner_id, loser_id))
    outbox.publish(session, customer_events.customer_gone(loser), events.customer_merged(merge))
    return _told(session, winner_id)


def _managed(session: Session, customer_id: UUID) -> Customer:
    """The customer, every line of it within reach."""
    customer = customers.get_customer(session, customer_id)
    for assignment in customer.assignments:
        guard.demand(session, assignment)
    return customer


def _demand_takable(call: Call, names: Sequence[str]) -> None:
    for name in names:
        if name not in TAKABLE:
            raise refuse("FIELD_NOT_TAKEN", field="take_fields", name=name)
    taken = dict(fields.governed(customer_pb2.Customer.DESCRIPTOR))
    for field, right in taken.items():
        if field.name in names and call.field_access(right) < FieldAccess.EDIT:
            raise refuse("FIELD_NOT_READABLE", field="take_fields", name=field.name)


def _demand_no_circle(session: Session, winner: Customer, loser: Customer, names: Sequence[str]) -> None:
    """Refuse PARENT_CIRCLE to take a parent that lies below the winner."""
    if "parent_id" in names and loser.parent_id and winner.id in customers.ancestors(session, loser.parent_id):
        raise refuse("PARENT_CIRCLE", field="parent_id")


def _take(session: Session, winner: Customer, loser: Customer, names: Sequence[str]) -> dict[str, Any]:
    """Give the loser up and the winner what is taken; what the winner was before, and is after, by attribute."""
    loser.deleted_at, loser.merged_into_id = clock.now(), winner.id
    loser.updated_at = clock.now()
    session.flush()
    wanted: dict[str, Any] = {name: getattr(loser, name) for name in names}
    wanted["tags"] = list(dict.fromkeys([*winner.tags, *loser.tags]))
    if loser.id in customers.ancestors(session, winner.id):
        wanted["parent_id"] = loser.parent_id
    before = {name: rows.plain(getattr(winner, name)) for name in wanted}
    for name, value in wanted.items():
        setattr(winner, name, value)
    winner.contacted(max(winner.last_contact_at, loser.last_contact_at))
    winner.index()
    winner.updated_at = clock.now()
    session.flush()
    return {"before": before, "after": {name: rows.plain(value) for name, value in wanted.items()}}


def unmerge_customer(call: Call, *, customer_id: UUID) -> Customer:
    """Bring back a customer that was merged, with what moved then; what came since stays with the winner.

    A child that was deleted meanwhile stays so, and a line comes back with whoever owns it by now. Refuses NOT_FOUND,
    NOT_MERGED, MERGED_ON where the winner was itself merged or deleted, OUT_OF_REACH, UNMERGE_TOO_LATE, a code
    that another customer has by now as creation does, and UNIT_CLOSED a line that would lie in a unit that is closing.
    """
    session = call.session
    merge, winner = _undoable(call, customer_id)
    queries.lock(session, (winner.id, customer_id))
    loser = queries.loser_of(session, merge)
    duplicates.demand_unique(call, code=loser.credit_code, phones=(), besides=winner.id)
    facts = merge.record["facts"]
    _give_back(session, winner, facts, facts["before"].keys() - {"parent_id"})
    moving.give_lines_back(session, merge.record["lines"], loser)
    loser.deleted_at = loser.merged_into_id = None
    merge.undone_at = loser.updated_at = clock.now()
    session.flush()
    _give_back(session, winner, facts, facts["before"].keys() & {"parent_id"})
    moved = moving.move_back(session, merge.record, winner_id=winner.id, loser_id=loser.id)
    moving.reopen(session, merge.record["lines"], winner_id=winner.id, loser_id=loser.id)
    _follow_touches(session, (winner.id, loser.id))
    _tell(session, moved, merge.record["removed"], but=(winner.id, loser.id))
    outbox.publish(session, events.customer_unmerged(merge))
    _told(session, winner.id)
    return _told(session, loser.id)


def _undoable(call: Call, customer_id: UUID) -> tuple[Merge, Customer]:
    session = call.session
    merge, last_id = queries.merge_of(session, customer_id), customers.merged_into(session, customer_id)
    if merge is None or last_id is None:
        customers.get_customer(session, customer_id)
        raise refuse("NOT_MERGED")
    winner = customers.find_customer(session, last_id)
    if winner is None:
        raise refuse("NOT_FOUND")
    if winner.id != merge.winner_id or winner.deleted_at:
        raise refuse("MERGED_ON", customer_id=merge.winner_id)
    for assignment in winner.assignments:
        guard.demand(session, assignment)
    for row in merge.record["lines"]["removed"]:
        if not call.change_scope.covers(UUID(row["owner_id"]), UUID(row["unit_id"])):
            raise refuse("OUT_OF_REACH")
        if not closing.is_open(session, UUID(row["unit_id"])):
            raise refuse("UNIT_CLOSED")
    if merge.merged_at < clock.now() - UNDOABLE:
        raise refuse("UNMERGE_TOO_LATE")
    return merge, winner


def _give_back(session: Session, winner: Customer, facts: Mapping[str, Any], names: Iterable[str]) -> None:
    """Undo what the winner took, unless it was changed since; of tags, those that came with the loser go."""
    before, after = facts["before"], facts["after"]
    table: Any = Customer.__table__
    for name in names:
        if name == "tags":
            came = set(after[name]) - set(before[name])
            winner.tags = [tag for tag in winner.tags if tag not in came]
        elif rows.plain(getattr(winner, name)) == after[name]:
            setattr(winner, name, rows.typed(table, name, before[name]))
    winner.index()
    winner.updated_at = clock.now()
    session.flush()


def _follow_touches(session: Session, customer_ids: Iterable[UUID]) -> None:
    """Let the last contacts follow the records that each customer has now."""
    for customer in queries.customers_now(session, list(customer_ids)):
        customer.contacted(records.last_touch(session, customer.id) or NEVER)
        customer.index()
    session.flush()


def _tell(session: Session, moved: Mapping[str, Any], removed: Mapping[str, Any], *, but: Sequence[UUID]) -> None:
    """Tell the new states of what names its customer."""
    places, gone = _ids(moved["contact_places"]), [UUID(row["contact_id"]) for row in removed["contact_places"]]
    contacts = [contact for contact in queries.contacts_at(session, places, gone) if contact.deleted_at is None]
    _next_version(session, [contact.id for contact in contacts])
    contacts = [*queries.contacts_at(session, [], [contact.id for contact in contacts])]
    subsidiaries = queries.customers_now(session, set(_ids(moved["subsidiaries"])) - set(but))
    requests = queries.requests_now(session, _ids(moved["join_requests"]))
    registrations = queries.registrations_now(session, _ids(moved["registrations"]))
    outbox.publish(
        session,
        *(contact_events.contact_changed(contact) for contact in contacts),
        *(customer_events.customer_changed(each) for each in subsidiaries if each.deleted_at is None),
        *(join_events.join_request_changed(request) for request in requests),
        *(registration_events.registration_changed(registration) for registration in registrations),
    )


def _ids(told: Iterable[str]) -> list[UUID]:
    return [UUID(id_) for id_ in told]


def _next_version(session: Session, contact_ids: Iterable[UUID]) -> None:
    table: Any = Contact.__table__
    statement = update(table).where(table.c.id == func.any(uuids(contact_ids))).values(version=table.c.version + 1)
    session.execute(statement, execution_options=queries.CHILDREN)


def _told(session: Session, customer_id: UUID) -> Customer:
    """The customer as it is now, its state told."""
    customer = queries.customers_now(session, [customer_id])[0]
    outbox.publish(session, customer_events.customer_changed(customer))
    return customer
