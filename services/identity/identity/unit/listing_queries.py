"""Lists of units: the tree of any day, parents before children, as far as today's reach goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from chassis import paging
from chassis.call import Call
from identity import days
from identity.unit import queries
from identity.unit.model import Unit
from tongxiao.identity.v1 import unit_pb2 as pb

Parents = Mapping[UUID, UUID | None]


@dataclass(frozen=True)
class Placed:
    """A unit where the tree of the day has it."""

    unit: Unit
    parent_id: UUID | None
    depth: int


def list_units(call: Call, request: pb.ListUnitsRequest) -> tuple[list[Placed], str]:
    """A page of units by depth, then code. Refuses DATE_INVALID."""
    session = call.session
    day = days.checked_day(request.as_of_date, field="as_of_date") or queries.company_today(session)
    parents = queries.parents_on(session, day)
    depths = {unit_id: sum(1 for _ in queries.upward_in(parents, unit_id)) - 1 for unit_id in parents}
    wanted = set(_within(request, parents))
    found = session.execute(_narrowed(request, day)).all()
    keys = sorted((f"{depths[id_]:04} {code}", id_) for id_, code in found if id_ in wanted)
    page = paging.of_sorted(call, request, keys)
    units = {unit.id: unit for unit in session.scalars(select(Unit).where(Unit.id.in_(page.ids)))}
    return [Placed(units[id_], parents[id_], depths[id_]) for id_ in page.ids], page.next_token


def _within(request: pb.ListUnitsRequest, parents: Parents) -> Sequence[UUID]:
    """The units of the day's tree that the request's place in it allows."""
    if request.parent_id:
        return [unit_id for unit_id, parent_id in parents.items() if str(parent_id) == request.parent_id]
    if request.below_id:
        root = UUID(request.below_id)
        return [unit_id for unit_id in parents if unit_id != root and root in queries.upward_in(parents, unit_id)]
    return list(parents)


def _narrowed(request: pb.ListUnitsRequest, day: date) -> Select[*tuple[Any, ...]]:
    wanted: Select[*tuple[Any, ...]] = select(Unit.id, Unit.code)
    if not request.show_closed:
        wanted = wanted.where(or_(Unit.closed_on.is_(None), Unit.closed_on > day))
    if request.kinds:
        wanted = wanted.where(Unit.kind.in_(request.kinds))
    if request.query:
        places = (Unit.code, Unit.name, Unit.name_en)
        wanted = wanted.where(or_(*(place.icontains(request.query, autoescape=True) for place in places)))
    return wanted
