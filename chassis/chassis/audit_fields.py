"""The fields of a row of the trail as a caller may see them: names of enum values, masks, what was erased."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from sqlalchemy.orm import Session

from chassis import clock, fields, personal
from chassis.audit import JOB, bound_to
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.either import Either
from chassis.fields import MASK
from chassis.reach import Through, rule_of
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1.permission_pb2 import Permission

# A column's name beside that of the message's field.
_ENDINGS = (("_on", "_date"), ("ted_at", "t_time"), ("_at", "_time"))
_INSTANT = "google.protobuf.Timestamp"
_STAMPS = {"created_at": "create_time", "updated_at": "update_time", "deleted_at": "delete_time"}


class Teller:
    """Tells one page of rows to one caller."""

    def __init__(self, call: Call, rows: Iterable[Any]) -> None:
        self._call = call
        self._classes = {cls.__audit__: cls for cls in call.classes if getattr(cls, "__audit__", None)}  # type: ignore[attr-defined]
        self._keys = _keys(call.session, self._classes, rows)

    def fields(self, row: Any, kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The kept fields by the names of the message's; nothing where nothing was kept."""
        if kept is None:
            return None
        readable = self._readable(row)
        told = (self._field(row, column, value, readable=readable) for column, value in kept.items())
        return {name: value for name, value in told if value is not _HIDDEN}

    def _field(self, row: Any, column: str, value: Any, *, readable: bool) -> tuple[str, Any]:
        cls = self._classes.get(row.resource)
        field = _field_of(getattr(cls, "__audit_message__", None), column)
        right = field.GetOptions().Extensions[options_pb2.field_right] if field else ""
        lying = zip(row.owner_ids, row.unit_ids, strict=True)
        access = self._call.field_access(right, lying) if right else FieldAccess.READ
        if personal.is_sealed(value):
            value = self._opened(row, column, value)
        name = field.json_name if field else _camel(column)
        return name, _shown(_as_told(field, value), access, readable=readable)

    def _opened(self, row: Any, column: str, value: Any) -> Any:
        """The value in clear; that it was erased, or was never kept."""
        if value == personal.UNKEPT:
            return value
        found = personal.opened(self._keys.get(row.resource_id), value, bound_to=bound_to(row.resource_id, column))
        return personal.ERASED if found is None else found

    def _readable(self, row: Any) -> bool:
        """Whether the caller may read such records where this one lay: to read the trail is not enough."""
        if row.resource == JOB:
            return True
        permission = _read_permission(self._classes.get(row.resource))
        if not row.unit_ids:
            return self._call.caller.holds(permission)
        scope = self._call.scope(permission)
        places = zip(row.owner_ids, row.unit_ids, strict=True)
        return scope.everything or any(scope.covers(owner, unit) for owner, unit in places)


_HIDDEN = object()


def _keys(session: Session, classes: Mapping[str, type], rows: Iterable[Any]) -> dict[str, bytes]:
    """The keys of the persons on a page, by the records' ids."""
    found: dict[str, bytes] = {}
    for name, cls in classes.items():
        store: personal.Keys | None = getattr(cls, "__personal_keys__", None)
        ids = {UUID(row.resource_id) for row in rows if row.resource == name}
        if store and ids:
            found |= {str(id_): key for id_, key in store.found(session, ids).items()}
    return found


def _read_permission(cls: Any) -> int:
    """The permission to read a class's records: its own, or its parent's where it has none."""
    found = dict(Permission.items()).get(f"PERMISSION_{getattr(cls, '__audit__', '').upper()}_READ", 0)
    rule = rule_of(cls) if cls and not found else None
    if isinstance(rule, Either):
        rule = rule.rules[0]
    return _read_permission(rule.parent()) if isinstance(rule, Through) else found


def _field_of(message: Any, column: str) -> FieldDescriptor | None:
    """The message's field that a column is told in."""
    descriptor: Descriptor | None = message and message.DESCRIPTOR
    if descriptor is None:
        return None
    names = [
        column,
        _STAMPS.get(column, ""),
        *(column.removesuffix(end) + to for end, to in _ENDINGS if column.endswith(end)),
    ]
    return next((descriptor.fields_by_name[name] for name in names if name in descriptor.fields_by_name), None)


def _as_told(field: FieldDescriptor | None, value: Any) -> Any:
    """An enum's name in place of its number, and an instant as the API tells it, however it was kept."""
    if field is None:
        return value
    if field.enum_type and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.message_type and field.message_type.full_name == _INSTANT and isinstance(value, str):
        return clock.stamp(datetime.fromisoformat(value)).ToJsonString()
    return value


def _shown(value: Any, access: FieldAccess, *, readable: bool) -> Any:
    if access == FieldAccess.HIDDEN:
        return _HIDDEN
    if value in (None, "", [], personal.ERASED, personal.UNKEPT) or (readable and access >= FieldAccess.READ):
        return value
    if not readable:
        return MASK
    if isinstance(value, list):
        return [fields.masked_text(str(part)) for part in value]
    return fields.masked_text(value) if isinstance(value, str) else MASK


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
