"""Every select of what people find first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Integer, Select, cast, func, select, union_all
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
FIGURES = ("customers", "uncontacted", "customers_again", "uncontacted_again", "records")
_DIRECTORY = {"reach": "names of units, which the directory shows everybody"}


def counts(session: Session, *, uncontacted_before: datetime, recent_from: datetime) -> list[dict[str, Any]]:
    """What lies in each unit, in one pass over the assignments and one over the recent contact records."""
    held = Assignment.__table__.c
    lying = select(held.unit_id, held.customer_id, held.last_contact_at).where(held.deleted_at.is_(None))
    each = lying.distinct().cte("each")
    quiet = each.c.last_contact_at < uncontacted_before
    logged = ContactRecord.__table__.c
    recent = (logged.contacted_at >= recent_from, logged.deleted_at.is_(None), logged.unit_id.is_not(None))
    parts = union_all(
        _counted(each.c.unit_id, customers=func.count(), uncontacted=func.count().filter(quiet)),
        _again(each, quiet),
        _counted(logged.unit_id, records=func.count()).where(*recent),
    ).subquery()
    sums = (cast(func.sum(parts.c[name]), Integer).label(name) for name in FIGURES)
    found = session.execute(select(parts.c.unit_id, *sums).group_by(parts.c.unit_id))
    return [dict(row) for row in found.mappings()]


def _again(each: CTE, quiet: ColumnElement[bool]) -> Select[Any]:
    """How often a sum over a unit and all below it counts a customer that it has counted: few lie in several units."""
    several = select(each.c.customer_id).group_by(each.c.customer_id).having(func.count() > 1)
    closure = schema.org_closure.c
    joined = select(closure.ancestor_id, (func.count() - 1).label("again"), func.bool_and(quiet).label("quiet"))
    joined = joined.select_from(each).join(schema.org_closure, closure.descendant_id == each.c.unit_id)
    above = joined.where(each.c.customer_id.in_(several)).group_by(closure.ancestor_id, each.c.customer_id).subquery().c
    again = func.sum(above.again)
    counted = _counted(above.ancestor_id, customers_again=again, uncontacted_again=again.filter(above.quiet))
    return counted.having(again > 0)


def _counted(unit_id: ColumnElement[UUID], **figures: ColumnElement[Any]) -> Select[Any]:
    """These figures of units, and nothing of all others."""
    columns = (func.coalesce(figures.get(name), 0).label(name) for name in FIGURES)
    return select(unit_id.label("unit_id"), *columns).group_by(unit_id)


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
