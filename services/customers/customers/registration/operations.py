"""What is done to registrations: create, release, extend, fulfil. Refusals first."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import clock, creation, guard, ids, masks, outbox, turns
from chassis.call import Call
from chassis.errors import DomainError
from customers import facts, people
from customers.duplicate import operations as duplicates
from customers.duplicate import queries as exact
from customers.joining import operations as joining
from customers.product_line import queries as lines
from customers.refusals import refuse
from customers.registration import events, queries
from customers.registration.model import Registration, State
from customers.registration.queries import Draft
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ, PERMISSION_REGISTRATION_READ

# How many days the first is protected; the setting of this name, put at start-up.
protected_days = 90
_FIELD = "registration.name"


def create_registration(call: Call, *, registration_id: UUID | None, given: Mapping[str, Any]) -> Registration:
    """Register a customer for a line, in the caller's home unit; the same again answers the registration as it is.

    Refuses LINE_UNKNOWN, LINE_RETIRED, wrong facts, OUT_OF_REACH, ID_TAKEN, ALREADY_EXISTS; REGISTRATION_EXISTS and
    DUPLICATE_EXISTS what lies within reach, REGISTERED_ELSEWHERE and DUPLICATE_ELSEWHERE what lies beyond.
    """
    find, taken = queries.find_registration, queries.is_taken
    same = creation.repeated(call.session, registration_id, given, find=find, taken=taken, field="registration.id")
    if same:
        return same
    lines.demand_open(call.session, given["line_id"], field="registration.line_id")
    facts.checked_credit_code(given["credit_code"])
    facts.checked_division(given["division_code"])
    turns.wait(call.session, "registration", given["line_id"])
    draft = Draft(given["line_id"], given["name"], given["credit_code"], given["division_code"])
    _demand_unowned(call, draft)
    for _, registration in queries.protecting(call.session, [draft], clock.now()):
        raise standing(call, registration, draft, field=_FIELD)
    made = _made(call, registration_id, given)
    call.session.add(made)
    return _changed(call, made)


def _made(call: Call, registration_id: UUID | None, given: Mapping[str, Any]) -> Registration:
    owner = people.active(call.session, call.caller.person_id, reason="OWNER_UNKNOWN", field="registration.owner_id")
    if owner.unit_id is None:
        raise refuse("OWNER_NOT_IN_UNIT", field="registration.unit_id")
    zone = people.unit_zone(call.session, owner.unit_id)
    return Registration(
        id=registration_id or ids.new_id(),
        version=1,
        owner_id=owner.id,
        unit_id=owner.unit_id,
        days=protected_days,
        protected_until=clock.end_of_day(clock.today(zone) + timedelta(days=protected_days), zone),
        extended=False,
        created_at=clock.now(),
        updated_at=clock.now(),
        **given,
    )


def release_registration(call: Call, *, registration_id: UUID, etag: str) -> Registration:
    """Give a registration up. Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH and REGISTRATION_OVER."""
    registration = _protected(call, registration_id, etag)
    registration.released_at = clock.now()
    return _changed(call, registration)


def extend_registration(call: Call, *, registration_id: UUID, etag: str) -> Registration:
    """Protect a registration once more for as many days as it had.

    Refuses as release does, EXTENSION_BY_SUPERIOR one's own, REGISTRATION_EXTENDED what was extended before.
    """
    registration = _protected(call, registration_id, etag)
    governed = call.trees.current().under(registration.unit_id, call.change_scope.governed)
    if registration.owner_id == call.caller.person_id or not governed:
        raise refuse("EXTENSION_BY_SUPERIOR")
    if registration.extended:
        raise refuse("REGISTRATION_EXTENDED")
    registration.extended = True
    registration.protected_until += timedelta(days=registration.days)
    return _changed(call, registration)


def demand_free(call: Call, values: Mapping[str, Any], owners: Mapping[UUID, UUID]) -> list[Registration]:
    """The registrations that a customer to be fulfils, given its facts and its owner per line.

    Refuses REGISTRATION_EXISTS or REGISTERED_ELSEWHERE what is registered by anybody but the line's owner.
    """
    drafts = [Draft(line, values["name"], values["credit_code"], values["division_code"]) for line in owners]
    found = queries.protecting(call.session, drafts, clock.now())
    for at, registration in found:
        if registration.owner_id != owners[drafts[at].line_id]:
            raise standing(call, registration, drafts[at], field="customer.name")
    return [registration for _, registration in found]


def standing(call: Call, registration: Registration, draft: Draft, *, field: str) -> DomainError:
    """The refusal that a protected registration means: by its id within reach, beyond by its unit alone."""
    if call.scope(PERMISSION_REGISTRATION_READ).covers(registration.owner_id, registration.unit_id):
        return refuse("REGISTRATION_EXISTS", field=field, registration_id=registration.id)
    named = {"name": draft.name, "division_code": draft.division_code}
    asked = {"credit_code": draft.credit_code} if draft.credit_code else named
    what = {**asked, "registration_id": registration.id}
    return duplicates.elsewhere(call, "REGISTERED_ELSEWHERE", field=field, unit_id=registration.unit_id, what=what)


def fulfil(call: Call, registrations: Sequence[Registration], customer_id: UUID) -> None:
    """Note that the customer was created, and share it with those who were let in before."""
    for registration in registrations:
        registration.customer_id = customer_id
        _changed(call, registration)
        joining.share_accepted(call, registration.id, customer_id)


def _demand_unowned(call: Call, draft: Draft) -> None:
    """Refuse a customer that has an owner on the line, as a duplicate is: of its code, or else of its very name."""
    code = draft.credit_code
    found = exact.exact_matches(call.session, [code] if code else [], [])
    if found and queries.on_line(call.session, [match.customer_id for match in found], draft.line_id):
        duplicates.demand_unique(call, code=code, phones=(), within="registration")
    if named := queries.of_name(call.session, draft):
        raise _taken(call, draft, named)


def _taken(call: Call, draft: Draft, named: Mapping[UUID, UUID]) -> DomainError:
    """The refusal of a name: by the id of a customer that the caller reads, else by the unit of the oldest alone."""
    with call.reading_as(PERMISSION_CUSTOMER_READ):
        readable = exact.within_reach(call.session, named.keys())
    if known := next((customer_id for customer_id in named if customer_id in readable), None):
        return refuse("DUPLICATE_EXISTS", field=_FIELD, customer_id=known)
    customer_id, unit_id = next(iter(named.items()))
    what = {"name": draft.name, "division_code": draft.division_code, "customer_id": customer_id}
    return duplicates.elsewhere(call, "DUPLICATE_ELSEWHERE", field=_FIELD, unit_id=unit_id, what=what)


def _protected(call: Call, registration_id: UUID, etag: str) -> Registration:
    registration = queries.get_registration(call.session, registration_id)
    guard.demand(call.session, registration)
    masks.check_etag(etag, registration.version)
    if registration.state_at(clock.now()) != State.REGISTRATION_STATE_PROTECTED:
        raise refuse("REGISTRATION_OVER")
    return registration


def _changed(call: Call, registration: Registration) -> Registration:
    call.session.flush()
    outbox.publish(call.session, events.registration_changed(registration))
    return registration
