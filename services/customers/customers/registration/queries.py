"""Every select of registrations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from chassis import clock, paging
from chassis.call import Call
from chassis.listing import Order
from customers.customer.model import Assignment, Customer
from customers.duplicate.queries import SHOWN, same_place
from customers.refusals import refuse
from customers.registration.model import Registration, State
from tongxiao.customers.v1 import registration_pb2 as pb

ORDER = Order("create_time", "created_at", descending=True)
# The columns of a draft.
_DRAFT: dict[str, Any] = {"line_id": Uuid(), "name": Text(), "credit_code": Text(), "division_code": Text()}
_ALL = {"reach": "what protects a customer, company-wide; beyond reach no more is said than the unit"}


@dataclass(frozen=True)
class Draft:
    """A customer to be, on one line."""

    line_id: UUID
    name: str
    credit_code: str
    division_code: str


def find_registration(session: Session, registration_id: UUID) -> Registration | None:
    return session.scalars(select(Registration).where(Registration.id == registration_id)).one_or_none()


def get_registration(session: Session, registration_id: UUID) -> Registration:
    found = find_registration(session, registration_id)
    if found is None:
        raise refuse.unknown("NOT_FOUND", registration_id)
    return found


def is_taken(session: Session, registration_id: UUID) -> bool:
    wanted = select(Registration.id).where(Registration.id == registration_id)
    return session.scalar(wanted.execution_options(reach="whether an id is taken; no more is said")) is not None


def anywhere(session: Session, registration_id: UUID) -> Registration:
    """The registration that somebody was told of, reach apart."""
    return session.get_one(Registration, registration_id, execution_options=_ALL)


def protecting(session: Session, drafts: Sequence[Draft], now: datetime) -> list[tuple[int, Registration]]:
    """The registrations that protect any of the drafts, each with the draft's place: by code where both have one,
    else by normalised name in one division, in one that holds it or in none; within reach or beyond, in one statement.
    """
    if not drafts:
        return []
    values = {name: [getattr(each, name) for each in drafts] for name in _DRAFT}
    rows = session.execute(_protecting(), {**values, "now": now}, execution_options=_ALL)
    return [(at - 1, registration) for at, registration in rows]


@cache
def _protecting() -> Select[Any]:
    """Made once: every creation asks it."""
    draft, held = _drafts(), Registration
    by_code = and_(held.credit_code != "", held.credit_code == draft.c.credit_code)
    nameless = or_(held.credit_code == "", draft.c.credit_code == "")
    same_name = and_(
        held.name_key == func.name_key(draft.c.name), same_place(held.division_code, draft.c.division_code)
    )
    by_name = and_(nameless, held.name_key != "", same_name)
    wanted = select(draft.c.at, held).join(held, and_(held.line_id == draft.c.line_id, or_(by_code, by_name)))
    standing = held.protected_until > bindparam("now", type_=DateTime(timezone=True))
    wanted = wanted.where(held.released_at.is_(None), held.customer_id.is_(None), standing)
    return wanted.order_by(held.created_at, held.id)


def _drafts() -> Any:
    """The drafts as a table, each with its place from 1."""
    values = [bindparam(name, type_=ARRAY(kind)) for name, kind in _DRAFT.items()]
    named = [Column(name, kind) for name, kind in _DRAFT.items()]
    return func.unnest(*values).table_valued(*named, with_ordinality="at", name="draft").render_derived()


def of_name(session: Session, draft: Draft) -> dict[UUID, UUID]:
    """The customers of this normalised name and place that have an owner on the draft's line, where no codes say they
    are others, each with the unit that it counts in there, the oldest first; within reach or beyond."""
    customer, held = Customer.__table__.c, Assignment.__table__.c
    wanted = select(customer.id, held.unit_id).where(held.customer_id == customer.id, held.line_id == draft.line_id)
    alike = (customer.name_key == func.name_key(draft.name), customer.name_key != "", customer.deleted_at.is_(None))
    wanted = wanted.where(*alike, same_place(customer.division_code, literal(draft.division_code)))
    if draft.credit_code:
        wanted = wanted.where(customer.credit_code == "")
    rows = session.execute(wanted.order_by(customer.id).limit(SHOWN), execution_options=_ALL)
    return {row.id: row.unit_id for row in rows}


def on_line(session: Session, customer_ids: Iterable[UUID], line_id: UUID) -> set[UUID]:
    """Those of the customers that have an owner on a line, within reach or beyond."""
    wanted = select(Assignment.customer_id).where(
        Assignment.customer_id.in_(list(customer_ids)), Assignment.line_id == line_id
    )
    return set(session.scalars(wanted.execution_options(**_ALL)))


def list_registrations(call: Call, request: pb.ListRegistrationsRequest) -> tuple[Sequence[Registration], str]:
    """A page of registrations within reach, newest first."""
    wanted = select(Registration)
    if request.line_id:
        wanted = wanted.where(Registration.line_id == UUID(request.line_id))
    if request.state:
        wanted = wanted.where(_in_state(request.state))
    return paging.Cursor(call, request, ORDER).page(call.session, wanted, Registration)


def _in_state(state: int) -> ColumnElement[bool]:
    fulfilled, released = Registration.customer_id.is_not(None), Registration.released_at.is_not(None)
    protected = Registration.protected_until > clock.now()
    states: dict[int, ColumnElement[bool]] = {
        State.REGISTRATION_STATE_FULFILLED: fulfilled,
        State.REGISTRATION_STATE_RELEASED: and_(~fulfilled, released),
        State.REGISTRATION_STATE_PROTECTED: and_(~fulfilled, ~released, protected),
        State.REGISTRATION_STATE_EXPIRED: and_(~fulfilled, ~released, ~protected),
    }
    return states[state]
