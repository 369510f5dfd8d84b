"""The schemas' comments and titles, as documentation."""

import json
import re
from functools import cache
from importlib import resources

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

from tongxiao.common.v1 import title_pb2

# A name of several words, in quotation marks or not; what is part of an address or a code is none.
_SNAKE = re.compile(r"(?<![\w./])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/])")


def _in_json(found: re.Match[str]) -> str:
    head, *rest = found[0].split("_")
    return head + "".join(part.capitalize() for part in rest) if found[0] in _fields() else found[0]


@cache
def _fields() -> frozenset[str]:
    """The names of all fields that the schemas tell of."""
    return frozenset(name.rpartition(".")[2] for name in _comments()) | {"next_page_token", "page_token", "update_mask"}


@cache
def _comments() -> dict[str, str]:
    found: dict[str, str] = json.loads((resources.files("tongxiao") / "comments.json").read_text(encoding="utf-8"))
    return found


def of(full_name: str) -> str:
    """What the schemas say of a message, field, enum, RPC or service, fields named as in JSON; else nothing."""
    return _SNAKE.sub(_in_json, _comments().get(full_name, ""))


def of_enum(enum: EnumDescriptor) -> str:
    """What the schemas say of an enum and of each of its values, as Markdown."""
    lines = [f"- `{value.name}`: {text}" for value in enum.values if (text := _of_value(enum, value))]
    return "\n\n".join(part for part in (of(enum.full_name), "\n".join(lines)) if part)


def _of_value(enum: EnumDescriptor, value: EnumValueDescriptor) -> str:
    title = value.GetOptions().Extensions[title_pb2.title]
    titles = f"{title.zh} · {title.en}" if title.zh else ""
    return titles or of(f"{enum.full_name}.{value.name}")
