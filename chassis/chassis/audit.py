"""The audit trail: every flushed change of an audited class becomes a row, in the same transaction.

`__audit__` names a class in the trail, `__audit_message__` the message whose fields it is told in. Values of columns
marked personal are sealed with the record's key from `__personal_keys__`; without such keys nothing of them is kept.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from opentelemetry import trace
from sqlalchemy import JSON, Insert, bindparam, event, func, insert, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from chassis import clock, personal, schema
from chassis.audit_schema import audit
from chassis.places import Places

# What stands in the trail for a personal value of which nothing is kept.
PERSONAL = personal.UNKEPT
# What long work is called in the trail.
JOB = "job"
# Values that JSON has, and those told as texts.
_PLAIN, _TOLD_AS_TEXT = {str, int, bool, float}, (UUID, date, Decimal)
# What of a change is no news.
_UNTOLD = ("version", "updated_at")
# Where an object keeps which of its attributes were given the value that they had.
_ANEW = "told anew"


def _keep() -> Insert:
    """However many rows there are, they are one value of one statement, whose trigger runs once."""
    names = ("actor_id", "session_id", "post_ids", "action", "resource", "resource_id", "owner_ids", "unit_ids")
    columns = [audit.c[name] for name in (*names, "origin", "trace_id", "before", "after")]
    rows = (
        func.json_to_recordset(bindparam("rows", type_=JSON())).table_valued(*columns).render_derived(with_types=True)
    )
    return insert(audit).from_select(columns, select(*rows.c))


_KEEP = _keep()


@event.listens_for(Session, "after_flush")
def _record_changes(session: Session, _context: Any) -> None:
    if session.info.get("audit") is False:
        return
    new, gone = _audited(session.new), _audited(session.deleted)
    changed = [entity for entity in _audited(session.dirty) if _changes(entity)]
    if not (new or changed or gone):
        return
    every = [*new, *changed, *gone]
    keys, places, who = _keys(session, every), Places(session, every), _who(session)
    rows = [_row(who, one, places, _before(one, keys), _after(one, keys)) for one in changed]
    rows += [_row(who, one, places, None, _whole(one, keys)) for one in new]
    rows += [_row(who, one, places, _whole(one, keys), None) for one in gone]
    _insert(session, rows)


def record(session: Session, action: str, entity: Any, after: Mapping[str, Any]) -> None:
    """Record an act that changes no row, such as revealing a number."""
    told = {key: _plain(value) for key, value in after.items()}
    _insert(session, [_row(_who(session), entity, Places(session), None, told) | {"action": action}])


def told_anew(entity: Any, name: str) -> None:
    """Have an attribute told as changed, though it is given the value that it had."""
    flag_modified(entity, name)
    inspect(entity).info.setdefault(_ANEW, set()).add(name)


def record_job(
    session: Session, job_id: UUID, kind: str, told: Mapping[str, Any] | None = None, *, action: str = ""
) -> None:
    """Record that the caller began, steered or called off long work, and what of it is told; it lies where they do."""
    people = schema.org_people.c
    home = select(people.unit_id).where(people.id == session.info["call"].caller.person_id)
    unit_id = session.connection().execute(home, execution_options={"reach": "audit"}).scalar()
    who = _who(session)
    where = {"owner_ids": [who["actor_id"]], "unit_ids": [unit_id]} if unit_id else {"owner_ids": [], "unit_ids": []}
    who |= {"action": action} if action else {}
    what = {"before": None, "after": {"kind": kind, **(told or {})}}
    _insert(session, [who | where | what | {"resource": JOB, "resource_id": str(job_id)}])


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    session.connection().execute(_KEEP, {"rows": rows}, execution_options={"reach": "audit"})


def _row(
    who: Mapping[str, Any], entity: Any, places: Places, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    found = places.of(entity)
    return {
        **who,
        "resource": entity.__audit__,
        "resource_id": "/".join(str(part) for part in inspect(entity).mapper.primary_key_from_instance(entity)),
        "owner_ids": [owner for owner, _ in found],
        "unit_ids": [unit for _, unit in found],
        "before": before,
        "after": after,
    }


def _trace_id() -> str | None:
    span = trace.get_current_span().get_span_context()
    return format(span.trace_id, "032x") if span.is_valid else None


def _who(session: Session) -> dict[str, Any]:
    """The person and the posts that allow them the act, or the system by the name of what it does."""
    call, trace_id = session.info.get("call"), _trace_id()
    if call is None:
        action = str(session.info.get("action", "system"))
        nobody: dict[str, Any] = {"actor_id": None, "session_id": None, "post_ids": [], "origin": None}
        return {**nobody, "action": action, "trace_id": trace_id}
    return {
        "actor_id": call.caller.person_id,
        "session_id": call.caller.session_id,
        "post_ids": sorted({grant.post_id for grant in call.caller.granting(call.rpc.permission)}),
        "action": call.rpc.name,
        "origin": call.origin,
        "trace_id": trace_id,
    }


def _audited(entities: Iterable[Any]) -> list[Any]:
    return [entity for entity in entities if getattr(entity, "__audit__", None)]


def _keys(session: Session, entities: Iterable[Any]) -> dict[UUID, bytes]:
    """The keys that these records' personal values are sealed with."""
    found: dict[UUID, bytes] = {}
    stores = {keys for entity in entities if (keys := getattr(entity, "__personal_keys__", None))}
    for store in stores:
        ids = {entity.id for entity in entities if getattr(entity, "__personal_keys__", None) is store}
        found |= store.made(session, ids)
    return found


def _changes(entity: Any) -> list[tuple[str, Any, Any]]:
    state = inspect(entity)
    touched = [(key, column) for key, column in _told(state.mapper) if key in state.committed_state]
    found = [(key, column, state.attrs[key].history) for key, column in touched if key not in _UNTOLD]
    return [(key, column, history) for key, column, history in found if history.has_changes()]


def _before(entity: Any, keys: Mapping[UUID, bytes]) -> dict[str, Any]:
    old = {key: (column, _old(entity, key, history)) for key, column, history in _changes(entity)}
    return {key: _value(entity, keys, column, value) for key, (column, value) in old.items()}


def _old(entity: Any, key: str, history: Any) -> Any:
    if history.deleted:
        return history.deleted[0]
    return getattr(entity, key) if key in inspect(entity).info.get(_ANEW, ()) else None


def _after(entity: Any, keys: Mapping[UUID, bytes]) -> dict[str, Any]:
    return {key: _value(entity, keys, column, getattr(entity, key)) for key, column, _ in _changes(entity)}


def _whole(entity: Any, keys: Mapping[UUID, bytes]) -> dict[str, Any]:
    state = inspect(entity)
    present = ((key, column) for key, column in _told(state.mapper) if key in state.dict)
    return {key: _value(entity, keys, column, state.dict[key]) for key, column in present}


@cache
def _told(mapper: Any) -> tuple[tuple[str, Any], ...]:
    """The attributes of a class that the trail tells of, each with its column."""
    attributes = ((found.key, found.columns[0]) for found in mapper.column_attrs)
    return tuple((key, column) for key, column in attributes if not column.info.get("derived"))


def _value(entity: Any, keys: Mapping[UUID, bytes], column: Any, value: Any) -> Any:
    if column.info.get("personal") and value:
        return personal.sealed(keys.get(entity.id), str(value), bound_to=bound_to(entity.id, column.name))
    return _plain(value)


def bound_to(record_id: object, field: str) -> str:
    """What a sealed value is bound to, so that it cannot be put in another's place."""
    return f"{record_id}/{field}"


def _plain(value: Any) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return clock.stamp(value).ToJsonString()
    if isinstance(value, _TOLD_AS_TEXT):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return value
