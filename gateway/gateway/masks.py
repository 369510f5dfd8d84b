"""What an update names: the mask that was given, or the leaves of the JSON that was sent."""

from collections.abc import Collection, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor

from chassis.errors import refuse as refuse_common
from gateway import fields


def of_body(resource: Descriptor, body: Any, *, but: Collection[str] = ()) -> list[str]:
    """The proto paths of the leaves in a body already read; null is a leaf, and so clears.

    What only the server sets is left out, and the JSON names in `but`, so that a record may come back as it was read.
    Refuses FIELD_READ_ONLY a body that says nothing else.
    """
    known = fields.by_json_name(resource)
    said = [key for key in body if key not in but]
    paths = [path for key in said for path in _leaves(known[key], body[key])]
    if said and not paths:
        raise refuse_common("FIELD_READ_ONLY", field=said)
    return paths


def of_text(resource: Descriptor, text: str) -> list[str]:
    """The proto paths of a mask such as `name,place.latitude`, or `*`; refuses MASK_INVALID unknown ones."""
    return [path if path == "*" else _path(resource, path) for path in text.split(",")]


def _leaves(field: Any, item: Any) -> Iterator[str]:
    if fields.is_output_only(field):
        return
    nested = field.type == fields.MESSAGE and not field.is_repeated and not fields.well_known(field)
    if nested and item:
        inner = fields.by_json_name(fields.message_of(field))
        yield from (f"{field.name}.{path}" for key in item for path in _leaves(inner[key], item[key]))
    else:
        yield field.name


def _path(resource: Descriptor | None, text: str) -> str:
    names = []
    for part in text.split("."):
        field = fields.by_json_name(resource).get(part) if resource else None
        if field is None:
            raise refuse_common("MASK_INVALID", field=text)
        names.append(field.name)
        resource = field.message_type
    return ".".join(names)
