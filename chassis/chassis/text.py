"""What no text of a request may hold, and that a text which must be there can be seen."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import refuse
from tongxiao.common.v1 import options_pb2

# The zero-width joiner (U+200D) stays: it joins emoji.
_INVISIBLE = "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb"
# The rules' module is built at run time and has no types.
_RULES: Any = validate_pb2
# Letters and symbols that show nothing: Hangul fillers and the blank of Braille.
_EMPTY = "\u115f\u1160\u3164\uffa0\u2800"
_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_INVISIBLE}]")
_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_INVISIBLE}]")


def demand_legible(request: Message, is_meant: Callable[[str], bool]) -> None:
    """Refuse FORBIDDEN_CHARACTERS, and BLANK what a request means to say and does not."""
    if characters := next(forbidden(request), ""):
        raise refuse("FORBIDDEN_CHARACTERS", field=characters)
    if nothing := next(filter(is_meant, blank(request)), ""):
        raise refuse("BLANK", field=nothing)


def forbidden(message: Message, path: str = "") -> Iterator[str]:
    """The paths of the fields whose text holds a forbidden character."""
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            if _pattern(field).search("\n".join(value).replace("\n", "") if field.is_repeated else value):
                yield here
        elif field.message_type and field.message_type.full_name == "google.protobuf.Struct":
            if any(_LINES.search(text) for text in _texts(value)):
                yield here
        elif _holds_messages(field):
            for part in value if field.is_repeated else (value,):
                yield from forbidden(part, f"{here}.")


def blank(message: Message, path: str = "") -> Iterator[str]:
    """The paths of the fields that must hold a text and hold nothing that can be seen."""
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            texts = value if field.is_repeated else (value,)
            if _must_be_there(field) and not all(map(_is_seen, texts)):
                yield here
        elif _holds_messages(field):
            for part in value if field.is_repeated else (value,):
                yield from blank(part, f"{here}.")


@cache
def _pattern(field: FieldDescriptor) -> re.Pattern[str]:
    return _LINES if field.GetOptions().Extensions[options_pb2.multiline] else _LINE


@cache
def _holds_messages(field: FieldDescriptor) -> bool:
    return bool(field.message_type and not field.message_type.GetOptions().map_entry)


@cache
def _must_be_there(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[_RULES.field]
    return bool((rules.repeated.items if field.is_repeated else rules).string.min_len)


def _is_seen(text: str) -> bool:
    return any(unicodedata.category(letter)[0] in "LNPS" and letter not in _EMPTY for letter in text)


def _texts(value: Message) -> Iterator[str]:
    for field, part in value.ListFields():
        if field.name == "fields":
            for key, inner in part.items():
                yield key
                yield from _texts(inner)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield part
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in part if field.is_repeated else (part,):
                yield from _texts(inner)
