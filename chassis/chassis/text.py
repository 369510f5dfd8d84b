"""What no text of a request may hold: control, bidirectional-override and invisible characters."""

import re
from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tongxiao.common.v1 import options_pb2

# The zero-width joiner (U+200D) stays: it joins emoji.
_INVISIBLE = "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb"
_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_INVISIBLE}]")
_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_INVISIBLE}]")


def forbidden(message: Message, path: str = "") -> Iterator[str]:
    """The paths of the fields whose text holds a forbidden character."""
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            pattern = _LINES if field.GetOptions().Extensions[options_pb2.multiline] else _LINE
            if pattern.search("\n".join(value).replace("\n", "") if field.is_repeated else value):
                yield here
        elif field.message_type and field.message_type.full_name == "google.protobuf.Struct":
            if any(_LINES.search(text) for text in _texts(value)):
                yield here
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            for part in value if field.is_repeated else (value,):
                yield from forbidden(part, f"{here}.")


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
