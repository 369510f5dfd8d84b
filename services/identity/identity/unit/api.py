"""UnitsService: message → arguments → operation → message."""

from typing import Any
from uuid import UUID

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from identity import days
from identity.unit import closing, listing_queries, moves, operations, queries
from identity.unit.model import Unit, UnitParent
from tongxiao.identity.v1 import unit_pb2 as pb

CHANGEABLE = ("code", "name", "name_en", "kind", "time_zone", "currency", "head_post_id")


def get_unit(request: pb.GetUnitRequest, call: Call) -> pb.Unit:
    unit = queries.get_unit(call.session, UUID(request.id))
    message = to_message(unit, call)
    message.occupied_by.extend(
        pb.Occupancy(service=said.service, counts=said.counts)
        for said in queries.occupancies(call.session, unit.id)
        if said.counts
    )
    return message


def list_units(request: pb.ListUnitsRequest, call: Call) -> pb.ListUnitsResponse:
    found, token = listing_queries.list_units(call, request)
    units = [_message(placed.unit, placed.parent_id, placed.depth) for placed in found]
    return pb.ListUnitsResponse(units=units, next_page_token=token)


def create_unit(request: pb.CreateUnitRequest, call: Call) -> pb.Unit:
    given = request.unit
    values = {**_attributes(given, CHANGEABLE), "parent_id": parse_id(given.parent_id)}
    return to_message(operations.create_unit(call, unit_id=parse_id(given.id), given=values), call)


def update_unit(request: pb.UpdateUnitRequest, call: Call) -> pb.Unit:
    given = request.unit
    names = masks.changed_fields(call, given, request.update_mask, allowed=CHANGEABLE)
    changes = _attributes(given, names)
    return to_message(operations.update_unit(call, unit_id=UUID(given.id), etag=given.etag, changes=changes), call)


def move_unit(request: pb.MoveUnitRequest, call: Call) -> pb.Unit:
    moved = moves.move_unit(
        call,
        unit_id=UUID(request.id),
        parent_id=UUID(request.parent_id),
        effective_date=request.effective_date,
        replace_planned=request.replace_planned,
        etag=request.etag,
    )
    return to_message(moved, call)


def close_unit(request: pb.CloseUnitRequest, call: Call) -> pb.Unit:
    return to_message(closing.close_unit(call, unit_id=UUID(request.id), etag=request.etag), call)


def reopen_unit(request: pb.ReopenUnitRequest, call: Call) -> pb.Unit:
    return to_message(closing.reopen_unit(call, unit_id=UUID(request.id), etag=request.etag), call)


def list_unit_parents(request: pb.ListUnitParentsRequest, call: Call) -> pb.ListUnitParentsResponse:
    unit = queries.get_unit(call.session, UUID(request.id))
    found = queries.parents_of(call.session, unit.id)
    return pb.ListUnitParentsResponse(parents=[_parent_message(stretch) for stretch in found if stretch.parent_id])


def to_message(unit: Unit, call: Call) -> pb.Unit:
    """The unit where today's tree has it."""
    return _message(unit, unit.parent_id, queries.depths(call.session, [unit.id]).get(unit.id, 0))


def _message(unit: Unit, parent_id: UUID | None, depth: int) -> pb.Unit:
    return pb.Unit(
        id=str(unit.id),
        code=unit.code,
        name=unit.name,
        name_en=unit.name_en,
        kind=unit.kind,  # type: ignore[arg-type]
        parent_id=str(parent_id or ""),
        time_zone=unit.time_zone,
        currency=unit.currency,
        head_post_id=str(unit.head_post_id or ""),
        state=unit.state,  # type: ignore[arg-type]
        depth=depth,
        tree_version=unit.tree_version,
        etag=masks.etag(unit.version),
        create_time=clock.stamp(unit.created_at),
        update_time=clock.stamp(unit.updated_at),
    )


def _parent_message(stretch: UnitParent) -> pb.UnitParent:
    return pb.UnitParent(
        parent_id=str(stretch.parent_id or ""),
        start_date=days.text_of(stretch.start_on),
        end_date=days.text_of(stretch.end_on),
    )


def _attributes(given: pb.Unit, names: Any) -> dict[str, Any]:
    """The values of fields, in the types the model keeps."""
    found = {name: getattr(given, name) for name in names}
    if "head_post_id" in found:
        found["head_post_id"] = parse_id(found["head_post_id"])
    return found
