"""SavedFiltersService: message → arguments → operation → message."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.customer import queries as customers
from customers.saved_filter import operations, queries
from customers.saved_filter.model import SavedFilter
from tongxiao.customers.v1 import saved_filter_pb2 as pb

CHANGEABLE = ("name", "kind", "filter", "order", "unit_id")


@one_statement
def get_saved_filter(request: pb.GetSavedFilterRequest, call: Call) -> pb.SavedFilter:
    return _message(queries.get_filter(call, UUID(request.id)))


@one_statement
def list_saved_filters(request: pb.ListSavedFiltersRequest, call: Call) -> pb.ListSavedFiltersResponse:
    found, token = queries.list_filters(call, request)
    return pb.ListSavedFiltersResponse(saved_filters=map(_message, found), next_page_token=token)


def create_saved_filter(request: pb.CreateSavedFilterRequest, call: Call) -> pb.SavedFilter:
    given = request.saved_filter
    values = _values(call, given, CHANGEABLE)
    return _message(operations.create_filter(call, filter_id=parse_id(given.id), given=values))


def update_saved_filter(request: pb.UpdateSavedFilterRequest, call: Call) -> pb.SavedFilter:
    given = request.saved_filter
    changes = _values(call, given, masks.changed_fields(call, given, request.update_mask, allowed=CHANGEABLE))
    return _message(operations.update_filter(call, filter_id=UUID(given.id), etag=given.etag, changes=changes))


def delete_saved_filter(request: pb.DeleteSavedFilterRequest, call: Call) -> Empty:
    operations.delete_filter(call, filter_id=UUID(request.id), etag=request.etag)
    return Empty()


def _values(call: Call, given: pb.SavedFilter, names: Iterable[str]) -> dict[str, Any]:
    """The values of fields, in the types the model keeps; a filter must be one that the caller may use.

    A name is kept without the spaces around it, which nobody tells it by.
    """
    found = {name: getattr(given, name) for name in names}
    if "name" in found:
        found["name"] = found["name"].strip()
    if "filter" in found:
        customers.narrowing_of(call, given.filter)
        found["filter"] = MessageToDict(given.filter)
    if "unit_id" in found:
        found["unit_id"] = parse_id(found["unit_id"])
    return found


def _message(saved: SavedFilter) -> pb.SavedFilter:
    return pb.SavedFilter(
        id=str(saved.id),
        name=saved.name,
        kind=saved.kind,  # type: ignore[arg-type]
        filter=queries.filter_of(saved),
        order=saved.order,  # type: ignore[arg-type]
        unit_id=str(saved.unit_id or ""),
        person_id=str(saved.person_id),
        etag=masks.etag(saved.version),
        create_time=clock.stamp(saved.created_at),
        update_time=clock.stamp(saved.updated_at),
    )
