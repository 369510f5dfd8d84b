"""Message → what orjson writes, by writers compiled once per message type.

As proto3 JSON with defaults: scalars, enums and lists are always there, so that a resource has one shape;
messages (times among them) and `optional` fields are there when they are set.
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway import fields

Write = Callable[[Any], Any]
Json = dict[str, Any]

_EPOCH = datetime.fromtimestamp(0, UTC)


@cache
def writer(message: Descriptor) -> Callable[[Message], Json]:
    """Turns a message into a dict; times become datetimes, which orjson writes in UTC to the microsecond."""
    plain = [field for field in message.fields if _is_plain(field)]
    names, read = [field.json_name for field in plain], _getter([field.name for field in plain])
    always = [_step(field) for field in message.fields if not _is_plain(field) and not field.has_presence]
    present = [_step(field) for field in message.fields if field.has_presence]

    def write(source: Message) -> Json:
        found = dict(zip(names, read(source), strict=True))
        for name, json_name, convert in always:
            found[json_name] = convert(getattr(source, name))
        for name, json_name, convert in present:
            if source.HasField(name):
                found[json_name] = convert(getattr(source, name))
        return found

    return write


def _getter(names: list[str]) -> Callable[[Message], tuple[Any, ...]]:
    """All the named attributes in one call: the cheapest way to read a message."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda source: tuple(getattr(source, name) for name in names)


def _is_plain(field: FieldDescriptor) -> bool:
    odd = (fields.MESSAGE, fields.ENUM, fields.BYTES)
    return field.type not in odd and not field.is_repeated and not field.has_presence


def _step(field: FieldDescriptor) -> tuple[str, str, Write]:
    fields.demand_served(field)
    if fields.is_map(field):
        return field.name, field.json_name, _map(field)
    one = _one(field)
    if not field.is_repeated:
        return field.name, field.json_name, one
    many: Write = list if one is _same else lambda values: [one(value) for value in values]
    return field.name, field.json_name, many


def _map(field: FieldDescriptor) -> Write:
    one = _one(fields.message_of(field).fields_by_name["value"])
    return lambda values: {_key(key): one(value) for key, value in values.items()}


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _one(field: FieldDescriptor) -> Write:
    if field.type == fields.ENUM:
        return _enum(fields.enum_of(field))
    if field.type == fields.BYTES:
        return lambda value: base64.b64encode(value).decode()
    if field.type != fields.MESSAGE:
        return _same
    known = fields.well_known(field)
    if known:
        return _WELL_KNOWN.get(known, json_format.MessageToDict)
    # Looked up when it is needed: a message may hold itself.
    return lambda value: writer(fields.message_of(field))(value)


def _same(value: Any) -> Any:
    return value


def _enum(enum: EnumDescriptor) -> Write:
    names = {value.number: value.name for value in enum.values}
    # A number of a later release has no name here yet.
    return lambda number: names.get(number, number)


def _time(value: Any) -> datetime:
    return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)


def _struct(value: Any) -> Json:
    return {key: _value(item) for key, item in value.fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":
        return _number(value.number_value)
    return None if kind == "null_value" else getattr(value, kind)


def _number(value: float) -> int | float:
    """A whole number as one, as far as reals tell whole numbers apart."""
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


_WELL_KNOWN: dict[str, Write] = {fields.TIMESTAMP: _time, fields.STRUCT: _struct}
