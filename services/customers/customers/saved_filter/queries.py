"""Every select of saved filters: the caller's own, and those shared with a unit they belong to or one above it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.json_format import ParseDict
from sqlalchemy import ColumnElement, func, or_, select

from chassis import paging
from chassis.arrays import uuids
from chassis.call import Call
from chassis.listing import Order
from customers.refusals import refuse
from customers.saved_filter.model import SavedFilter
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import saved_filter_pb2 as pb

ORDER = Order("name", "name")


def find_filter(call: Call, filter_id: UUID) -> SavedFilter | None:
    return call.session.scalars(select(SavedFilter).where(SavedFilter.id == filter_id, _readable(call))).one_or_none()


def get_filter(call: Call, filter_id: UUID) -> SavedFilter:
    found = find_filter(call, filter_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def is_taken(call: Call, filter_id: UUID) -> bool:
    return call.session.scalar(select(SavedFilter.id).where(SavedFilter.id == filter_id)) is not None


def number_of(call: Call) -> int:
    """How many filters the caller keeps."""
    wanted = select(func.count(SavedFilter.id)).where(SavedFilter.person_id == call.caller.person_id)
    return call.session.scalar(wanted) or 0


def list_filters(call: Call, request: pb.ListSavedFiltersRequest) -> tuple[Sequence[SavedFilter], str]:
    """A page of saved filters, by name."""
    wanted = select(SavedFilter).where(_readable(call))
    return paging.Cursor(call, request, ORDER).page(call.session, wanted, SavedFilter)


def applied(call: Call, request: Any) -> tuple[customer_pb2.CustomerFilter, customer_pb2.CustomerOrder.ValueType]:
    """The filter that a request for customers gives or names, and the order that comes with it.

    Refuses FILTER_TWICE a request that does both, and FILTER_UNKNOWN a filter that the caller may not read.
    """
    if not request.saved_filter_id:
        return request.filter, customer_pb2.CUSTOMER_ORDER_UNSPECIFIED
    if request.filter.ListFields():
        raise refuse("FILTER_TWICE", field=("saved_filter_id", "filter"))
    found = find_filter(call, UUID(request.saved_filter_id))
    if found is None:
        raise refuse("FILTER_UNKNOWN", field="saved_filter_id")
    return filter_of(found), customer_pb2.CustomerOrder.ValueType(found.order)


def filter_of(saved: SavedFilter) -> customer_pb2.CustomerFilter:
    return ParseDict(saved.filter, customer_pb2.CustomerFilter(), ignore_unknown_fields=True)


def _readable(call: Call) -> ColumnElement[bool]:
    parents, above, todo = call.trees.current().parents, set[UUID](), list(call.read_scope.own)
    while todo:
        unit_id = todo.pop()
        if unit_id not in above:
            above.add(unit_id)
            todo += [parent] if (parent := parents.get(unit_id)) else []
    own = SavedFilter.person_id == call.caller.person_id
    return or_(own, SavedFilter.unit_id == func.any(uuids(above)))
