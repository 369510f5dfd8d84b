"""Every select of what people find first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from chassis import paging, schema
from chassis.arrays import uuids
from chassis.call import Call
from chassis.listing import Narrowing
from customers.contact_record.model import ContactRecord
from customers.customer.model import Assignment, Customer
from customers.customer.queries import LISTING, ORDERS
from customers.home.model import UnitCount
from tongxiao.customers.v1.customer_pb2 import CUSTOMER_ORDER_UNSPECIFIED

DUE = 20
_DIRECTORY = {"reach": "names of units, which the directory shows everybody"}


def counts(session: Session, *, uncontacted_before: datetime, recent_from: datetime) -> list[dict[str, Any]]:
    """What lies in each unit, in one pass over the assignments and one over the recent contact records."""
    held = Assignment.__table__.c
    customers = select(held.unit_id, held.customer_id, held.last_contact_at).where(held.deleted_at.is_(None))
    each = customers.distinct().subquery().c
    quiet = func.count().filter(each.last_contact_at < uncontacted_before)
    of_units = select(each.unit_id, func.count().label("customers"), quiet.label("uncontacted"))
    logged = ContactRecord.__table__.c
    recent = select(logged.unit_id, func.count().label("records")).where(
        logged.contacted_at >= recent_from, logged.deleted_at.is_(None), logged.unit_id.is_not(None)
    )
    left, right = of_units.group_by(each.unit_id).subquery(), recent.group_by(logged.unit_id).subquery()
    joined = left.join(right, left.c.unit_id == right.c.unit_id, full=True)
    wanted = select(
        func.coalesce(left.c.unit_id, right.c.unit_id).label("unit_id"),
        *(func.coalesce(column, 0).label(column.name) for column in (left.c.customers, left.c.uncontacted)),
        func.coalesce(right.c.records, 0).label("records"),
    )
    return [dict(row) for row in session.execute(wanted.select_from(joined)).mappings()]


def figures(session: Session, unit_ids: Iterable[UUID]) -> Mapping[UUID, UnitCount]:
    """What was counted in these units, as far as they are within reach."""
    found = session.scalars(select(UnitCount).where(UnitCount.unit_id == func.any(uuids(unit_ids))))
    return {row.unit_id: row for row in found}


def names(session: Session, unit_ids: Iterable[UUID]) -> Sequence[Any]:
    """Units in use, by code."""
    units = schema.org_units.c
    wanted = select(units.id, units.name, units.name_en).where(units.id == func.any(uuids(unit_ids)))
    return session.execute(
        wanted.where(units.state != "CLOSED").order_by(units.code), execution_options=_DIRECTORY
    ).all()


def count_owned(call: Call, *, uncontacted_before: datetime | None = None) -> tuple[int, bool]:
    """How many customers the caller owns, exact to 1,000, and whether there are more."""
    narrowing = Narrowing(owner_id=call.caller.person_id)
    if uncontacted_before:
        narrowing.carrier.append(lambda columns: columns.last_contact_at < uncontacted_before)
    return paging.count(call, LISTING, order=ORDERS[CUSTOMER_ORDER_UNSPECIFIED], narrowing=narrowing)


def due(call: Call, today: date) -> Sequence[Customer]:
    """The caller's own customers that are to be contacted by today, longest overdue first."""
    wanted = select(Customer).where(_owned(call), Customer.next_contact_on <= today)
    wanted = wanted.order_by(Customer.next_contact_on, Customer.id).limit(DUE)
    return call.session.scalars(wanted.options(selectinload(Customer.assignments))).all()


def count_due(call: Call, today: date) -> tuple[int, int]:
    """How many of the caller's own customers are to be contacted today, and how many should have been before."""
    on = func.count().filter(Customer.next_contact_on == today)
    before = func.count().filter(Customer.next_contact_on < today)
    found = call.session.execute(select(on, before).select_from(Customer).where(_owned(call))).one()
    return found[0], found[1]


def _owned(call: Call) -> ColumnElement[bool]:
    owned = Assignment.owner_id == call.caller.person_id
    mine = select(Assignment.customer_id).where(owned, Assignment.deleted_at.is_(None))
    return Customer.id.in_(mine) & Customer.deleted_at.is_(None)
