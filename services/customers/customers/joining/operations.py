"""Asking to join, and answering. Refusals first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis import audit, clock, guard, ids, masks, outbox, turns
from chassis.call import Call
from customers import facts, people
from customers.customer import queries as customers
from customers.customer import sharing
from customers.customer.model import Share
from customers.duplicate import operations as duplicates
from customers.duplicate import queries as answers
from customers.joining import events, queries
from customers.joining.model import ACCEPTED, DECLINED, PENDING, JoinRequest
from customers.refusals import refuse
from customers.registration import queries as registrations
from customers.registration.model import State as RegistrationState
from tongxiao.customers.v1 import customer_pb2

# How often a day a person may ask; the setting of this name, put at start-up.
requests_per_day = 20
# For how long one may ask to join what one was refused.
ASKABLE = timedelta(days=30)
# What the caller names it by, as they did when they were refused.
_TELLING = ("credit_code", "phone", "name")


def ask_to_join(call: Call, *, asked: Mapping[str, str], note: str) -> JoinRequest:
    """Ask those who own what the caller was refused; the request that waits already is answered as it is.

    Refuses NOT_EXACTLY_ONE, NOT_REFUSED what the caller was not told of, or what has gone meanwhile, and JOIN_LIMIT.
    """
    if sum(bool(asked[name]) for name in _TELLING) != 1:
        raise refuse("NOT_EXACTLY_ONE", field=_TELLING)
    customer_id, registration_id = _target(call, asked)
    person_id = call.caller.person_id
    turns.wait(call.session, "join", person_id)
    if waiting := queries.pending_of(call.session, person_id, customer_id, registration_id):
        return waiting
    since = people.start_of_day(call.session, person_id, duplicates.today(call))
    if queries.asked_since(call.session, person_id, since) >= requests_per_day:
        raise people.limited(call.session, person_id, "JOIN_LIMIT", requests_per_day)
    return _kept(call, customer_id=customer_id, registration_id=registration_id, note=note)


def _target(call: Call, asked: Mapping[str, str]) -> tuple[UUID | None, UUID | None]:
    """The customer or the registration that the caller was told of, as it is now."""
    phone = facts.checked_phone(asked["phone"], field="phone")
    since = clock.now() - ASKABLE
    told = answers.newest_answer(call.session, call.caller.person_id, since, **{**asked, "phone": phone})
    if told is None:
        raise refuse("NOT_REFUSED")
    customer_id = told.customer_id
    if told.registration_id:
        registration = registrations.anywhere(call.session, told.registration_id)
        if registration.state_at(clock.now()) == RegistrationState.REGISTRATION_STATE_PROTECTED:
            return None, registration.id
        customer_id = registration.customer_id
    customer_id = customer_id and (customers.merged_into(call.session, customer_id) or customer_id)
    if customer_id is None or not queries.is_live(call.session, customer_id):
        raise refuse("NOT_REFUSED")
    return customer_id, None


def _kept(call: Call, *, note: str, **target: UUID | None) -> JoinRequest:
    """A new request; its target lies beyond the caller's reach, so reach is not what admits it."""
    now = clock.now()
    values: dict[str, Any] = {
        "id": ids.new_id(),
        "person_id": call.caller.person_id,
        "unit_id": call.caller.granting(call.rpc.permission)[0].unit_id,
        "note": note,
        "state": PENDING,
        "level": customer_pb2.SHARE_LEVEL_UNSPECIFIED,
        "answer_note": "",
        "version": 1,
        "created_at": now,
        "updated_at": now,
        **target,
    }
    table: Any = JoinRequest.__table__
    call.session.execute(insert(table).values(values), execution_options={"reach": "a request to those who reach it"})
    made = JoinRequest(**values)
    audit.record(call.session, call.rpc.name, made, {"person_id": made.person_id, "note": note, "state": PENDING})
    outbox.publish(call.session, events.join_request_changed(made))
    return made


def answer_join_request(
    call: Call, *, request_id: UUID, state: int, level: int, end_date: str, note: str, etag: str
) -> JoinRequest:
    """Let somebody in, until a day or without end, or decline and say why.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, JOIN_ANSWERED, NOTE_MISSING and what a share is refused for.
    """
    request = queries.get_request(call.session, request_id)
    guard.demand(call.session, request)
    masks.check_etag(etag, request.version)
    if request.state != PENDING:
        raise refuse("JOIN_ANSWERED")
    if state == DECLINED and not note:
        raise refuse("NOTE_MISSING", field="note")
    request.state, request.answer_note = state, note
    request.answered_by, request.answered_at = call.caller.person_id, clock.now()
    if state == ACCEPTED:
        _let_in(call, request, level=level or customer_pb2.SHARE_LEVEL_READ, end_date=end_date)
    call.session.flush()
    outbox.publish(call.session, events.join_request_changed(request))
    return request


def _let_in(call: Call, request: JoinRequest, *, level: int, end_date: str) -> None:
    request.level = level
    request.end_on = facts.checked_day(end_date, field="end_date")
    sharing.demand_end(call.session, request.person_id, request.end_on, fields=("", "end_date"))
    if request.customer_id:
        sharing.create_share(
            call,
            share_id=None,
            customer_id=request.customer_id,
            person_id=request.person_id,
            level=level,
            end_date=end_date,
            note=request.answer_note,
        )


def share_accepted(call: Call, registration_id: UUID, customer_id: UUID) -> None:
    """Share a customer just created with those who were let in to its registration, as far as was said then."""
    known = queries.shared_with(call.session, customer_id)
    for request in queries.accepted_for(call.session, registration_id):
        if request.person_id not in known:
            made = Share(id=ids.new_id(), customer_id=customer_id, person_id=request.person_id, created_at=clock.now())
            made.level, made.end_on, made.note = request.level, request.end_on, request.answer_note
            made.shared_by = request.answered_by or call.caller.person_id
            sharing.keep(call.session, made)
