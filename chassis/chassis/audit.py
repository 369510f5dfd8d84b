"""The audit trail: every flushed change of an audited class becomes a row, in the same transaction."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from opentelemetry import trace
from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session

from chassis import schema

# What stands in the trail for a personal value: that it changed, never what it was.
PERSONAL = {"personal": True}


@event.listens_for(Session, "after_flush")
def _record_changes(session: Session, _context: Any) -> None:
    if session.info.get("audit") is False:
        return
    rows = [_row(session, entity, _before(entity), _after(entity)) for entity in session.dirty if _changed(entity)]
    rows += [_row(session, entity, None, _after(entity, whole=True)) for entity in session.new if _audited(entity)]
    rows += [_row(session, entity, _before(entity, whole=True), None) for entity in session.deleted if _audited(entity)]
    if rows:
        session.connection().execute(insert(schema.audit), rows, execution_options={"reach": "audit"})


def record(session: Session, action: str, entity: Any, after: Mapping[str, Any]) -> None:
    """Record an act that changes no row, such as revealing a number."""
    row = _row(session, entity, None, {key: _plain(value) for key, value in after.items()})
    session.connection().execute(insert(schema.audit), [row | {"action": action}], execution_options={"reach": "audit"})


def _row(session: Session, entity: Any, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    call = session.info.get("call")
    span = trace.get_current_span().get_span_context()
    return {
        "actor_id": call.caller.person_id if call else None,
        "session_id": call.caller.session_id if call else None,
        "action": call.rpc.name if call else str(session.info.get("action", "system")),
        "resource": entity.__audit__,
        "resource_id": "/".join(str(part) for part in inspect(entity).mapper.primary_key_from_instance(entity)),
        "owner_id": getattr(entity, "owner_id", None),
        "unit_id": getattr(entity, "unit_id", None),
        "before": before,
        "after": after,
        "origin": call.origin if call else None,
        "trace_id": format(span.trace_id, "032x") if span.is_valid else None,
    }


def _audited(entity: Any) -> bool:
    return bool(getattr(entity, "__audit__", None))


def _changed(entity: Any) -> bool:
    return _audited(entity) and bool(_after(entity))


def _before(entity: Any, *, whole: bool = False) -> dict[str, Any]:
    found = {}
    for key, column, history in _columns(entity):
        if whole:
            found[key] = _value(column, getattr(entity, key))
        elif history.has_changes():
            found[key] = _value(column, history.deleted[0] if history.deleted else None)
    return found


def _after(entity: Any, *, whole: bool = False) -> dict[str, Any]:
    return {
        key: _value(column, getattr(entity, key))
        for key, column, history in _columns(entity)
        if whole or (history.has_changes() and key not in ("version", "updated_at"))
    }


def _columns(entity: Any) -> list[tuple[str, Any, Any]]:
    state = inspect(entity)
    return [
        (attribute.key, attribute.columns[0], state.attrs[attribute.key].history)
        for attribute in state.mapper.column_attrs
        if not attribute.columns[0].info.get("derived") and attribute.key in state.dict
    ]


def _value(column: Any, value: Any) -> Any:
    if column.info.get("personal") and value is not None:
        return PERSONAL
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, UUID | datetime | date | Decimal):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return value
