"""JSON → message, by readers compiled once per message type: stricter than json_format, and exact about faults."""

import base64
import binascii
import math
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway import fields
from gateway.refusals import refuse

Scalar = Callable[[Any, str], Any]
Fill = Callable[[Message, Any, str], None]

DEPTH = 20


@cache
def reader(message: Descriptor) -> Fill:
    """Fills a message from a JSON object; its path leads the field that a refusal names.

    Names are lowerCamelCase, enums by name, null leaves a field unset, and what is OUTPUT_ONLY is passed over.
    Refuses UNKNOWN_FIELD, WRONG_TYPE, UNKNOWN_VALUE and NESTED_TOO_DEEPLY.
    """
    known: dict[str, Fill] = {}

    def fill(target: Message, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise refuse("WRONG_TYPE", field=path)
        for key, item in value.items():
            here = f"{path}.{key}" if path else key
            read = known.get(key)
            if read is None:
                raise refuse("UNKNOWN_FIELD", field=here)
            if item is not None:
                read(target, item, here)

    known.update((field.json_name, _field(field)) for field in message.fields)
    return fill


def _field(field: FieldDescriptor) -> Fill:
    fields.demand_served(field)
    if fields.is_output_only(field):
        return _pass_over
    if fields.is_map(field):
        return _map(field)
    if field.type == fields.MESSAGE:
        return _messages(field) if field.is_repeated else _message(field)
    return _scalars(field) if field.is_repeated else _scalar(field)


def _pass_over(_target: Message, _value: Any, _path: str) -> None:
    pass


def _scalar(field: FieldDescriptor) -> Fill:
    name, read = field.name, scalar(field)

    def fill(target: Message, value: Any, path: str) -> None:
        setattr(target, name, read(value, path))

    return fill


def _scalars(field: FieldDescriptor) -> Fill:
    name, read = field.name, scalar(field)

    def fill(target: Message, value: Any, path: str) -> None:
        getattr(target, name).extend(read(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))

    return fill


def _message(field: FieldDescriptor) -> Fill:
    name, read = field.name, _reader_of(field)

    def fill(target: Message, value: Any, path: str) -> None:
        part = getattr(target, name)
        part.SetInParent()
        read(part, value, path)

    return fill


def _messages(field: FieldDescriptor) -> Fill:
    name, read = field.name, _reader_of(field)

    def fill(target: Message, value: Any, path: str) -> None:
        for index, item in enumerate(_list(value, path)):
            read(getattr(target, name).add(), item, f"{path}[{index}]")

    return fill


def _map(field: FieldDescriptor) -> Fill:
    """Maps are open sets of names: json_format reads them whole."""
    name, json_name = field.name, field.json_name

    def fill(target: Message, value: Any, path: str) -> None:
        part = type(target)()
        fill_well_known({json_name: value}, part, path)
        getattr(target, name).MergeFrom(getattr(part, name))

    return fill


def _reader_of(field: FieldDescriptor) -> Fill:
    known = fields.well_known(field)
    if known == fields.STRUCT:
        return _struct
    if known:
        return lambda part, value, path: fill_well_known(value, part, path)
    # Looked up when it is needed: a message may hold itself.
    return lambda part, value, path: reader(fields.message_of(field))(part, value, path)


def _struct(part: Message, value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise refuse("WRONG_TYPE", field=path)
    _demand_shallow(value, path, DEPTH)
    fill_well_known(value, part, path)


def _demand_shallow(value: Any, path: str, depth: int) -> None:
    if depth == 0:
        raise refuse("NESTED_TOO_DEEPLY", field=path)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _demand_shallow(item, path, depth - 1)


def fill_well_known(value: Any, part: Message, path: str) -> None:
    try:
        json_format.ParseDict(value, part)
    except (json_format.ParseError, AttributeError, TypeError, ValueError) as error:
        raise refuse("WRONG_TYPE", field=path) from error


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise refuse("WRONG_TYPE", field=path)
    return value


def scalar(field: FieldDescriptor) -> Scalar:
    """Reads one JSON value of a scalar field."""
    if field.type == fields.ENUM:
        return enumeration(fields.enum_of(field))
    if field.type in fields.SIGNED:
        return _integer(-(2**31), 2**31 - 1)
    if field.type in fields.UNSIGNED:
        return _integer(0, 2**32 - 1)
    return _SCALARS[field.type]


def enumeration(enum: EnumDescriptor) -> Scalar:
    numbers = {value.name: value.number for value in enum.values}

    def read(value: Any, path: str) -> int:
        if not isinstance(value, str):
            raise refuse("WRONG_TYPE", field=path)
        if value not in numbers:
            raise refuse("UNKNOWN_VALUE", field=path)
        return numbers[value]

    return read


def _integer(least: int, most: int) -> Scalar:
    def read(value: Any, path: str) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not whole or isinstance(value, bool) or not least <= value <= most:
            raise refuse("WRONG_TYPE", field=path)
        return int(value)

    return read


def _real(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refuse("WRONG_TYPE", field=path)
    return float(value)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise refuse("WRONG_TYPE", field=path)
    return value


def _truth(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise refuse("WRONG_TYPE", field=path)
    return value


def _bytes(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_text(value, path), validate=True)
    except binascii.Error as error:
        raise refuse("WRONG_TYPE", field=path) from error


_SCALARS: dict[int, Scalar] = {
    fields.STRING: _text,
    fields.BOOL: _truth,
    fields.BYTES: _bytes,
    **dict.fromkeys(fields.REALS, _real),
}
