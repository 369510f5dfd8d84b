"""What is done to customers: create, change, delete, restore, reassign. Refusals first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import clock, closing, creation, fields, guard, ids, masks, outbox
from chassis.call import Call
from customers import facts, people
from customers.base import NEVER
from customers.customer import events, queries
from customers.customer.model import Assignment, AssignmentPeriod, Customer
from customers.duplicate import operations as duplicates
from customers.product_line import queries as lines
from customers.refusals import refuse
from customers.registration import operations as registrations


@dataclass(frozen=True)
class Wanted:
    """An assignment as asked for: owner and unit may be left to the defaults."""

    line_id: UUID
    owner_id: UUID | None
    unit_id: UUID | None


@dataclass(frozen=True)
class Placing:
    """An assignment as it will be."""

    line_id: UUID
    owner_id: UUID
    unit_id: UUID


# A customer, the line of it that gets another owner, and who and where that is.
Move = tuple[Customer, Assignment, Placing]


def create_customer(
    call: Call,
    *,
    customer_id: UUID | None,
    given: Mapping[str, Any],
    assignments: Sequence[Wanted],
    allow_duplicate_phone: bool,
) -> Customer:
    """Create a customer owned on each line asked for, by the caller where nobody is named.

    The same again answers the customer as it is. Refuses ID_TAKEN, ASSIGNMENT_MISSING, LINE_TWICE, LINE_UNKNOWN,
    LINE_RETIRED, OWNER_UNKNOWN, OWNER_NOT_IN_UNIT, OUT_OF_REACH, what the facts are refused for, and what is there
    already: DUPLICATE_EXISTS, DUPLICATE_ELSEWHERE, REGISTRATION_EXISTS, REGISTERED_ELSEWHERE, DUPLICATE_CHECK_LIMIT.
    """
    if not assignments:
        raise refuse("ASSIGNMENT_MISSING", field="customer.assignments")
    _demand_each_once(assignments)
    session, values = call.session, checked(call.session, None, given)
    find, taken = queries.find_customer, queries.is_taken
    if existing := creation.repeated(session, customer_id, values, find=find, taken=taken, field="customer.id"):
        return existing
    placings = [_assigned(call, wanted, at) for at, wanted in enumerate(assignments)]
    phones = [] if allow_duplicate_phone else values["phones"]
    demand_unique = partial(duplicates.demand_unique, call, code=values["credit_code"], phones=phones)
    demand_unique()
    fulfilled = registrations.demand_free(call, values, {placing.line_id: placing.owner_id for placing in placings})
    made = build(call, customer_id=customer_id, values=values, placings=placings)
    with _racing(call, demand_unique):
        keep(call, [made])
    registrations.fulfil(call, fulfilled, made.id)
    return made


@contextmanager
def _racing(call: Call, demand_unique: Callable[[], None]) -> Iterator[None]:
    """A code that another call has kept since the check is answered as the check would have."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") == "uq_customers_credit_code":
            call.session.rollback()
            demand_unique()
        raise


def build(call: Call, *, customer_id: UUID | None, values: Mapping[str, Any], placings: Sequence[Placing]) -> Customer:
    """A customer of checked facts, not yet kept."""
    now = clock.now()
    made = Customer(
        id=customer_id or ids.new_id(),
        created_at=now,
        updated_at=now,
        last_contact_at=NEVER,
        created_by=call.caller.person_id,
        version=1,
        assignments=[],
        **values,
    )
    made.index()
    for placing in placings:
        made.assign(line_id=placing.line_id, owner_id=placing.owner_id, unit_id=placing.unit_id)
    return made


def keep(call: Call, customers: Sequence[Customer]) -> None:
    """Keep new customers, with the beginning of their history, and tell of them."""
    call.session.add_all(customers)
    call.session.flush()
    call.session.add_all(_period(call, held, note="") for customer in customers for held in customer.assignments)
    call.session.flush()
    outbox.publish(call.session, *(events.customer_changed(customer) for customer in customers))


def update_customer(
    call: Call, *, customer_id: UUID, etag: str, changes: Mapping[str, Any], allow_duplicate_phone: bool
) -> Customer:
    """Change a customer's common facts.

    Refuses NOT_FOUND, VERSION_MISMATCH, OUT_OF_REACH, FIELD_NOT_READABLE, wrong facts, and a new code or phone as
    creation does.
    """
    customer = queries.get_customer(call.session, customer_id)
    guard.demand(call.session, customer)
    masks.check_etag(etag, customer.version)
    values = checked(call.session, customer, editable(call, customer, changes))
    code, phones = new_keys(customer, values)
    compared = [] if allow_duplicate_phone else phones
    demand_unique = partial(duplicates.demand_unique, call, code=code, phones=compared, besides=customer_id)
    demand_unique()
    with _racing(call, demand_unique):
        return apply_changes(call, customer, values)


def editable(call: Call, customer: Customer, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes apart from fields that come back as they are shown. Refuses FIELD_NOT_READABLE."""
    lying = [(assignment.owner_id, assignment.unit_id) for assignment in customer.assignments]
    return fields.editable(call, customer, changes, lying)


def new_keys(customer: Customer, changes: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The code and the phones that a change brings anew."""
    code: str = changes.get("credit_code", "")
    phones = [phone for phone in changes.get("phones", ()) if phone not in customer.phones]
    return code if code != customer.credit_code else "", phones


def apply_changes(call: Call, customer: Customer, changes: Mapping[str, Any]) -> Customer:
    """Change checked facts of a customer that the caller may change."""
    for name, value in changes.items():
        setattr(customer, name, value)
    customer.index()
    return _changed(call.session, customer)


def delete_customer(call: Call, *, customer_id: UUID, etag: str) -> None:
    """Delete a customer, restorable for 30 days; every line of it must be within reach."""
    customer = queries.get_customer(call.session, customer_id)
    for assignment in customer.assignments:
        guard.demand(call.session, assignment)
    masks.check_etag(etag, customer.version)
    customer.mark_deleted(clock.now())
    call.session.flush()
    outbox.publish(call.session, events.customer_gone(customer))


def restore_customer(call: Call, *, customer_id: UUID) -> Customer:
    """Bring a deleted customer back.

    Refuses NOT_DELETED one that is there, a code that another has by now, and UNIT_CLOSED where a unit of it is.
    """
    customer = queries.get_customer(call.session, customer_id, deleted=True)
    if customer.deleted_at is None:
        raise refuse("NOT_DELETED")
    for assignment in customer.assignments:
        guard.demand(call.session, assignment)
        demand_open(call.session, assignment.unit_id, field="id")
    duplicates.demand_unique(call, code=customer.credit_code, phones=(), besides=customer_id)
    customer.mark_deleted(None)
    return _changed(call.session, customer)


def reassign_customer(
    call: Call, *, customer_id: UUID, line_id: UUID, owner_id: UUID, unit_id: UUID | None, note: str, etag: str
) -> Customer:
    """Give one line of a customer another owner; nothing else of it changes, nor anything where it is theirs already.

    The line must be within reach as it is, and the new unit too. Refuses NOT_FOUND, LINE_UNKNOWN, OUT_OF_REACH,
    VERSION_MISMATCH, OWNER_UNKNOWN, OWNER_NOT_IN_UNIT and UNIT_BEYOND_REACH.
    """
    customer = queries.get_customer(call.session, customer_id)
    assignment = next((found for found in customer.assignments if found.line_id == line_id), None)
    if assignment is None:
        raise refuse("LINE_UNKNOWN", field="line_id")
    guard.demand(call.session, assignment)
    masks.check_etag(etag, customer.version)
    placing = destination(call, line_id=line_id, owner_id=owner_id, unit_id=unit_id)
    if (assignment.owner_id, assignment.unit_id) != (placing.owner_id, placing.unit_id):
        hand_on(call, [(customer, assignment, placing)], note=note)
    return customer


def destination(call: Call, *, line_id: UUID, owner_id: UUID, unit_id: UUID | None) -> Placing:
    """Where a line goes, checked as the new owner's and as within reach."""
    placing = _placed(call, Wanted(line_id, owner_id, unit_id))
    if not call.change_scope.covers(placing.owner_id, placing.unit_id):
        raise refuse("UNIT_BEYOND_REACH", field="unit_id")
    return placing


def hand_on(call: Call, moves: Sequence[Move], *, note: str) -> None:
    """Give lines other owners, as was checked: the history goes on, each customer has a new version, and it is told."""
    session, now, moved = call.session, clock.now(), [assignment for _, assignment, _ in moves]
    before = [assignment.owner_id for assignment in moved]
    for period in queries.open_periods(session, moved):
        period.ended_at = now
    session.flush()
    for _, assignment, placing in moves:
        assignment.owner_id, assignment.unit_id, assignment.since = placing.owner_id, placing.unit_id, now
    session.add_all(_period(call, assignment, note=note) for assignment in moved)
    customers = {customer.id: customer for customer, _, _ in moves}.values()
    for customer in customers:
        customer.updated_at = now
    session.flush()
    outbox.publish(session, *(events.customer_changed(customer) for customer in customers))
    outbox.publish(session, *map(events.customer_reassigned, moved, before))


def _changed(session: Session, customer: Customer) -> Customer:
    """Keep the change under a new version and tell it; what changes nothing keeps its version and tells nothing."""
    if session.is_modified(customer):
        customer.updated_at = clock.now()
        session.flush()
        outbox.publish(session, events.customer_changed(customer))
    return customer


def checked(session: Session, customer: Customer | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in the form they are kept in."""
    found = dict(given)
    if "credit_code" in found:
        facts.checked_credit_code(found["credit_code"])
    if "division_code" in found:
        facts.checked_division(found["division_code"])
    if "website" in found:
        found["website"] = facts.checked_website(found["website"])
    if "phones" in found:
        numbers = [facts.checked_phone(phone, field="customer.phones") for phone in found["phones"]]
        found["phones"] = list(dict.fromkeys(numbers))
    if "next_contact_on" in found:
        found["next_contact_on"] = facts.checked_day(found["next_contact_on"], field="customer.next_contact_date")
    if found.get("parent_id"):
        _check_parent(session, customer, found["parent_id"])
    return found


def _check_parent(session: Session, customer: Customer | None, parent_id: UUID) -> None:
    """Refuse PARENT_UNKNOWN a parent beyond reach, PARENT_CIRCLE one that lies below the customer."""
    if not queries.is_readable(session, parent_id):
        raise refuse.unknown("PARENT_UNKNOWN", parent_id, field="customer.parent_id")
    if customer and customer.id in queries.ancestors(session, parent_id):
        raise refuse("PARENT_CIRCLE", field="customer.parent_id")


def _demand_each_once(assignments: Sequence[Wanted]) -> None:
    seen: set[UUID] = set()
    for at, wanted in enumerate(assignments):
        if wanted.line_id in seen:
            raise refuse("LINE_TWICE", field=f"customer.assignments[{at}].line_id")
        seen.add(wanted.line_id)


def _assigned(call: Call, wanted: Wanted, at: int) -> Placing:
    """An assignment of a customer to be, checked as within reach: its unit, and its owner where that is another."""
    within, scope = f"customer.assignments[{at}].", call.change_scope
    placing = _placed(call, wanted, within=within)
    if not scope.covers(placing.owner_id, placing.unit_id):
        of_owner = wanted.unit_id is None or scope.tree.under(placing.unit_id, scope.own)
        raise refuse("OUT_OF_REACH", field=within + ("owner_id" if of_owner else "unit_id"))
    return placing


def _placed(call: Call, wanted: Wanted, *, within: str = "") -> Placing:
    """An assignment, checked: the owner at work, holding a post in the unit or below it. Its fields lie `within`."""
    lines.demand_open(call.session, wanted.line_id, field=f"{within}line_id")
    owner_id = wanted.owner_id or call.caller.person_id
    owner = people.active(call.session, owner_id, reason="OWNER_UNKNOWN", field=f"{within}owner_id")
    field = within + ("unit_id" if wanted.unit_id else "owner_id")
    return Placing(wanted.line_id, owner_id, unit_of(call, owner, wanted.unit_id, field=field))


def unit_of(call: Call, owner: people.Colleague, unit_id: UUID | None, *, field: str) -> UUID:
    """The unit that an owner's customer counts in: the one named, else their home.

    Refuses OWNER_NOT_IN_UNIT and UNIT_CLOSED.
    """
    unit_id = unit_id or owner.unit_id
    if unit_id is None or not any(call.trees.current().under(held, frozenset({unit_id})) for held in owner.unit_ids):
        raise refuse("OWNER_NOT_IN_UNIT", field=field)
    demand_open(call.session, unit_id, field=field)
    return unit_id


def demand_open(session: Session, unit_id: UUID, *, field: str) -> None:
    """Refuse UNIT_CLOSED a unit that is closed, or being closed."""
    if not closing.is_open(session, unit_id):
        raise refuse("UNIT_CLOSED", field=field)


def _period(call: Call, assignment: Assignment, *, note: str) -> AssignmentPeriod:
    return AssignmentPeriod(
        id=ids.new_id(),
        customer_id=assignment.customer_id,
        line_id=assignment.line_id,
        owner_id=assignment.owner_id,
        unit_id=assignment.unit_id,
        started_at=assignment.since,
        ended_at=None,
        assigned_by=call.caller.person_id,
        note=note,
    )
