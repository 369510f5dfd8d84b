"""The schemas' comments and titles, as documentation."""

import json
import re
from collections.abc import Mapping
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


def of_enum(enum: EnumDescriptor) -> tuple[str, str]:
    """What is said of an enum and of each of its values, as Markdown, in Chinese and in English.

    In Chinese there are the values' titles alone; where they have none, it is said in English.
    """
    titles = {value.name: _title(value) for value in enum.values}
    said = {name: title.en or of(f"{enum.full_name}.{name}") for name, title in titles.items()}
    english = "\n\n".join(part for part in (of(enum.full_name), _listed(said)) if part)
    return _listed({name: title.zh for name, title in titles.items()}) or english, english


def _title(value: EnumValueDescriptor) -> title_pb2.Title:
    return value.GetOptions().Extensions[title_pb2.title]


def _listed(texts: Mapping[str, str]) -> str:
    return "\n".join(f"- `{name}`: {text}" for name, text in texts.items() if text)
