"""Reading the audit trail: what was done to records that lay within reach, told in the fields of their messages.

A grant reaches a row when the record lay, at the time, in a unit that it governs today, or was the caller's own then
and lay in a unit that the grant's post belongs to or governs. Shares count for nothing here; what lies in no unit is
reached by grants over the whole company. Values are shown as far as the caller may read such a record where it lay, and
its fields in clear; who may not learns that something changed, not what it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Column, ColumnElement, Select, and_, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from chassis import schema, tokens
from chassis.audit_schema import audit
from chassis.call import Call
from chassis.ids import parse_id
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from chassis.reach import Scope, uuids
from tongxiao.common.v1 import audit_pb2 as pb

_EXEMPT = {"reach": "the trail, within the caller's scope"}


@dataclass(frozen=True)
class Page:
    """Rows of the trail, newest first, and the token of the next page."""

    rows: Sequence[Any]
    next_token: str


def page(call: Call, request: pb.ListAuditRequest) -> Page:
    """What was asked for, within reach. Refuses PAGE_TOKEN_INVALID."""
    mark = tokens.fingerprint(call, request)
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    wanted = _wanted(request, call.read_scope)
    if request.page_token:
        at, id_ = tokens.read_token(request.page_token, mark)
        wanted = wanted.where(tuple_(audit.c.at, audit.c.id) < tuple_(at, id_.int))
    wanted = wanted.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(size + 1)
    rows = call.session.execute(wanted, execution_options=_EXEMPT).all()
    last = rows[size - 1] if len(rows) > size else None
    return Page(rows[:size], tokens.token_of(last.at, UUID(int=last.id), mark) if last else "")


def names(session: Session, rows: Sequence[Any]) -> Mapping[UUID, str]:
    """The names of who acted, as far as they are employees."""
    people = schema.org_people.c
    wanted = select(people.id, people.name).where(people.id.in_({row.actor_id for row in rows if row.actor_id}))
    return {row.id: row.name for row in session.execute(wanted, execution_options=_EXEMPT)}


def _wanted(request: pb.ListAuditRequest, scope: Scope) -> Select[Any]:
    named = ("resource", "resource_id", "action")
    conditions = [audit.c[name] == getattr(request, name) for name in named if getattr(request, name)]
    if actor_id := parse_id(request.actor_id):
        conditions.append(audit.c.actor_id == actor_id)
    if request.HasField("from_time"):
        conditions.append(audit.c.at >= _moment(request.from_time))
    if request.HasField("to_time"):
        conditions.append(audit.c.at < _moment(request.to_time))
    return select(audit).where(reached(scope), *conditions)


def reached(scope: Scope) -> ColumnElement[bool]:
    """Which rows of the trail a scope reaches."""
    if scope.everything:
        return true()
    governed = audit.c.unit_ids.overlap(uuids(scope.governed_units)) if scope.governed_units else false()
    return or_(governed, _own(scope)) if scope.own_units else governed


def _own(scope: Scope) -> ColumnElement[bool]:
    """Records of the caller's own, by owner and unit together: the index finds either, the pairs decide."""
    person, units = uuids([scope.person_id]), uuids(scope.own_units)
    pair = func.unnest(audit.c.owner_ids, audit.c.unit_ids).table_valued(
        Column("owner_id", audit.c.owner_id.type), Column("unit_id", audit.c.unit_id.type), name="place"
    )
    pair = pair.render_derived()
    owned = select(1).select_from(pair).where(pair.c.owner_id == scope.person_id, pair.c.unit_id == func.any(units))
    return and_(audit.c.owner_ids.overlap(person), audit.c.unit_ids.overlap(units), owned.exists())


def _moment(stamp: Timestamp) -> Any:
    return stamp.ToDatetime(UTC)
