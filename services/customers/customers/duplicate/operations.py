"""What is refused as a double, what is told of it, and how often."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, fields, turns
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.errors import DomainError
from customers import facts, people
from customers.contact.queries import places_at
from customers.duplicate import queries
from customers.duplicate.model import DuplicateAnswer
from customers.duplicate.queries import Match
from customers.refusals import refuse
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ
from tongxiao.customers.v1 import duplicate_pb2 as pb

# How often a day a person is told of others' customers and registrations; the setting of this name, put at start-up.
answers_per_day = 20


def demand_unique(
    call: Call, *, code: str, phones: Collection[str], besides: UUID | None = None, within: str = "customer"
) -> None:
    """Refuse DUPLICATE_EXISTS, with its id, a customer within reach of this code or phone; else DUPLICATE_ELSEWHERE.

    The latter names the owning unit and no more, is counted and audited; past the day's limit DUPLICATE_CHECK_LIMIT.
    Of those who bring one phone at once, the first is done before the next is compared.
    """
    turns.wait_for_all(call.session, "phone", phones)
    found = queries.exact_matches(call.session, [code] if code else [], phones)
    found = [match for match in found if match.customer_id != besides]
    if found:
        raise refusal_of(call, found, known_among(call, found), within=within)


def known_among(call: Call, matches: Collection[Match]) -> set[Match]:
    """The matches whose customer may be named: read by the caller, and found by what they read of it in clear."""
    readable = queries.within_reach(call.session, {match.customer_id for match in matches})
    lying = places_at(call.session, readable)

    def is_clear(match: Match) -> bool:
        access = call.read_access("customer.phones", lying.get(match.customer_id, ()))
        return bool(match.credit_code) or access >= FieldAccess.READ

    return {match for match in matches if match.customer_id in readable and is_clear(match)}


def refusal_of(
    call: Call, matches: Sequence[Match], known: Collection[Match], *, within: str = "customer"
) -> DomainError:
    """What the matches are refused with: DUPLICATE_EXISTS where the one that counts, a code's before any phone's, is
    known; else DUPLICATE_ELSEWHERE. The field it names lies `within` one of the request."""
    by_code = [match for match in matches if match.credit_code]
    named = next((match for match in by_code or matches if match in known), None)
    if named:
        return refuse("DUPLICATE_EXISTS", field=_field_of(named, within), customer_id=named.customer_id)
    match = matches[0]
    unit_id = queries.owning_unit(call.session, match.customer_id)
    what = {"credit_code": match.credit_code, "phone": match.phone, "customer_id": match.customer_id}
    return elsewhere(call, "DUPLICATE_ELSEWHERE", field=_field_of(match, within), unit_id=unit_id, what=what)


def _field_of(match: Match, within: str) -> str:
    return f"{within}.{'credit_code' if match.credit_code else 'phones'}"


def elsewhere(call: Call, reason: str, *, field: str, unit_id: UUID, what: Mapping[str, Any]) -> DomainError:
    """A refusal that names a unit and no more. That it was told is kept, counted by day, and audited."""
    answer = DuplicateAnswer(person_id=call.caller.person_id, told_unit_id=unit_id, day=today(call), **what)
    answer.unit_id = call.caller.granting(call.rpc.permission)[0].unit_id
    refusal = refuse(reason, field=field, unit_name=people.unit_name(call.session, unit_id))
    refusal.trace = partial(_count, answer=answer)
    return refusal


def today(call: Call) -> date:
    """The day it is where the caller's home unit is."""
    return clock.today(people.zone_of(call.session, call.caller.person_id))


_ASKED = ("credit_code", "phone", "name", "division_code")


def _count(session: Session, answer: DuplicateAnswer) -> None:
    """Keep that an answer was told; the same counts once a day. Refuses DUPLICATE_CHECK_LIMIT."""
    turns.wait(session, "duplicate", answer.person_id)
    told = queries.answers_on(session, answer.person_id, answer.day)
    if any(all(getattr(each, name) == (getattr(answer, name) or "") for name in _ASKED) for each in told):
        return
    if len(told) >= answers_per_day:
        raise people.limited(session, answer.person_id, "DUPLICATE_CHECK_LIMIT", answers_per_day)
    session.add(answer)
    session.flush()


def find_duplicates(call: Call, request: pb.FindDuplicatesRequest) -> dict[UUID, list[int]]:
    """The customers within reach that a draft may double, each with what it is alike by, the surest first."""
    found: dict[UUID, list[int]] = {}
    for kind, ids in _alike(call, request).items():
        for customer_id in ids:
            if str(customer_id) != request.besides_id:
                found.setdefault(customer_id, []).append(kind)
    surest = sorted(found.items(), key=lambda item: item[1])
    return dict(surest[: queries.SHOWN])


def _alike(call: Call, request: pb.FindDuplicatesRequest) -> dict[int, set[UUID]]:
    """Whom a draft is like, by kind. What the caller does not read in clear is not compared."""
    code = facts.checked_credit_code(request.credit_code.upper())
    phone = "" if fields.is_masked(request.phone) else facts.checked_phone(request.phone, field="phone")
    found = queries.exact_matches(call.session, [code] if code else [], [phone] if phone else [])
    known = known_among(call, found)
    return {
        pb.DUPLICATE_KIND_CREDIT_CODE: {match.customer_id for match in known if match.credit_code},
        pb.DUPLICATE_KIND_PHONE: {match.customer_id for match in known if match.phone},
        pb.DUPLICATE_KIND_NAME: set(queries.alike_by_name(call.session, request.name)) if request.name else set(),
        pb.DUPLICATE_KIND_DOMAIN: _by_domain(call, request.website) if request.website else set(),
    }


def _by_domain(call: Call, website: str) -> set[UUID]:
    found = set(queries.alike_by_website(call.session, website))
    if _reads_mail(call):
        found |= set(queries.alike_by_mail(call, website))
    return found


def _reads_mail(call: Call) -> bool:
    if not call.caller.holds(PERMISSION_CONTACT_READ):
        return False
    with call.reading_as(PERMISSION_CONTACT_READ):
        return call.field_access("contact.email") >= FieldAccess.READ
