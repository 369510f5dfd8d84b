"""The schemas' comments and titles, as documentation."""

import json
from functools import cache
from importlib import resources

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

from tongxiao.common.v1 import title_pb2


@cache
def _comments() -> dict[str, str]:
    found: dict[str, str] = json.loads((resources.files("tongxiao") / "comments.json").read_text(encoding="utf-8"))
    return found


def of(full_name: str) -> str:
    """What the schemas say of a message, field, enum, RPC or service; nothing where they are silent."""
    return _comments().get(full_name, "")


def of_enum(enum: EnumDescriptor) -> str:
    """What the schemas say of an enum and of each of its values, as Markdown."""
    lines = [f"- `{value.name}`: {text}" for value in enum.values if (text := _of_value(enum, value))]
    return "\n\n".join(part for part in (of(enum.full_name), "\n".join(lines)) if part)


def _of_value(enum: EnumDescriptor, value: EnumValueDescriptor) -> str:
    title = value.GetOptions().Extensions[title_pb2.title]
    titles = f"{title.zh} · {title.en}" if title.zh else ""
    return titles or of(f"{enum.full_name}.{value.name}")
