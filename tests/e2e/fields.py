"""What may be wrong with each field of a request, told by the field's own declaration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway import fields
from gateway.bindings import Binding
from gateway.openapi import rules

Json = dict[str, Any]
# What a field's name says of the records it may name: `customer_id` → "customer".
KINDS = {"owner": "person", "employee": "person", "author": "person", "head_post": "post", "superior_post": "post"}
KINDS |= {"governed_unit": "unit", "id": "customer"}
TEXTS = {
    "empty": "",
    "control characters": "a\x00b",
    "a bell": "a\x07b",
    "an override": "a\u202eb",
    "zero width": "a\u200bb",
    "emoji": "👩‍👩‍👧‍👦🚀",
    "an injection": "'; DROP TABLE customers; --",
    "far too long": "x" * 100_000,
}
# What creations demand besides.
DEMANDED = ("Customer.assignments", "Unit.parent_id", "ReassignmentJob.customer_ids", "ReassignmentJob.owner_ids")
# What may lie below any other.
USUAL = {"UnitKind": "UNIT_KIND_TEAM"}
DAYS = {"no day": "2026-02-30", "year zero": "0000-01-01", "the last day": "9999-12-31", "the first day": "0001-01-01"}
TIMES = {"no time": "yesterday", "the last second": "9999-12-31T23:59:59Z", "the first": "0001-01-01T00:00:00Z"}
TIMES |= {"before the first": "0000-12-31T23:59:59Z", "leap": "2026-02-29T00:00:00Z"}


@dataclass(frozen=True)
class World:
    """The ids of records by kind: those that the request may name, and another branch's."""

    known: dict[str, str]
    foreign: dict[str, str]


@dataclass(frozen=True)
class Case:
    """One field, as a JSON path, with a value that may not do, or without it."""

    path: str
    name: str
    value: Any


ABSENT = object()


def kind_of(field: FieldDescriptor, resource: str) -> str:
    """The kind of record that a field of ids names; nothing for another field."""
    stem = field.name.removesuffix("_ids" if field.is_repeated else "_id")
    if stem == "parent":
        return resource
    return KINDS.get(stem, stem) if stem != field.name else ""


def inputs(message: Descriptor) -> Iterator[FieldDescriptor]:
    """The fields that a client sets, the id and the etag apart."""
    return (f for f in message.fields if not fields.is_output_only(f) and f.name not in ("id", "etag"))


def valid(message: Descriptor, world: World, resource: str, unique: Callable[[], str]) -> Json:
    """An object that the declarations accept: what they demand, and no more."""
    made: Json = {}
    for field in inputs(message):
        if (value := _demanded(field, world, resource, unique)) is not ABSENT:
            made[field.json_name] = value
    return made


def cases(message: Descriptor, world: World, resource: str, *, prefix: str = "") -> Iterator[Case]:
    """Every field of a message, each time wrong in another way."""
    for field in inputs(message):
        path = f"{prefix}{field.json_name}"
        yield Case(path, "absent", ABSENT)
        yield Case(path, "null", None)
        for name, value in _values(field, world, resource):
            yield Case(path, name, value)


def _values(field: FieldDescriptor, world: World, resource: str) -> Iterator[tuple[str, Any]]:
    wrong = 7 if field.type == fields.STRING else "x"
    yield "of the wrong type", [wrong] if field.is_repeated else wrong
    if not field.is_repeated:
        yield "a list", []
        yield from _singles(field, world, resource)
        return
    yield "no list", {}
    yield "nothing in it", [None]
    for name, value in _singles(field, world, resource):
        yield f"one {name}", [value]
    yield "too many", [str(uuid4()) for _ in range((rules.of(field).repeated.max_items or 500) + 1)]
    yield "the same twice", [world.known.get(kind_of(field, resource), "abc")] * 2


def _singles(field: FieldDescriptor, world: World, resource: str) -> Iterator[tuple[str, Any]]:
    if field.type == fields.STRING:
        yield from TEXTS.items()
        yield from DAYS.items()
        most = rules.of(field).string.max_len
        yield from [("as long as can be", "好" * most), ("one too long", "好" * (most + 1))] if most else []
        if kind := kind_of(field, resource):
            yield "of nothing", str(uuid4())
            yield "of another kind", next(id_ for of, id_ in world.known.items() if of != kind)
            yield from [("of another branch", world.foreign[kind])] if kind in world.foreign else []
    elif field.type == fields.ENUM:
        yield "unknown", "NO_SUCH_VALUE"
        yield "a number", 1
        yield "unspecified", fields.enum_of(field).values_by_number[0].name
    elif field.type == fields.MESSAGE:
        yield from _of_messages(field)
    elif field.type != fields.BOOL:
        yield from {"below zero": -1, "huge": 2**31, "beyond doubles": 10**400, "a fraction": 0.5}.items()


def _of_messages(field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    yield "empty", {}
    known = fields.well_known(field)
    if known == fields.TIMESTAMP:
        yield from TIMES.items()
    elif known == fields.STRUCT:
        deep: Any = "x"
        for _ in range(500):
            deep = {"a": deep}
        yield from {
            "deep": deep,
            "an override": {"a": "\u202e"},
            "a NUL": {"a\x00": 1},
            "large": {"a": "x" * 90_000},
        }.items()
    else:
        yield "with unknown fields", {"noSuchField": 1}


def nested(message: Descriptor) -> Iterator[tuple[FieldDescriptor, Descriptor]]:
    """The fields of a message that hold messages of ours."""
    for field in inputs(message):
        if field.type == fields.MESSAGE and not fields.well_known(field) and not fields.is_map(field):
            yield field, fields.message_of(field)


def _demanded(field: FieldDescriptor, world: World, resource: str, unique: Callable[[], str]) -> Any:
    """A value for a field that may not be left out; ABSENT for one that may."""
    pattern = rules.of(field).string.pattern
    shaped = bool(pattern) and not pattern.endswith(")?$")
    if not (rules.is_required(field) or shaped or _operation_demands(field)):
        return ABSENT
    if field.is_repeated and (kind := kind_of(field, resource)):
        return [world.known[kind]]
    if field.is_repeated:
        return [valid(fields.message_of(field), world, resource, unique)]
    if field.type == fields.ENUM:
        return _middle(field)
    if among := list(getattr(rules.of(field).string, "in")):
        return among[-1]
    kind = kind_of(field, resource)
    return world.known[kind] if kind else unique()


def _operation_demands(field: FieldDescriptor) -> bool:
    """Whether creation demands what the declaration, which is for changes too, does not."""
    return field.full_name.split(".", 3)[-1] in DEMANDED


def _middle(field: FieldDescriptor) -> str:
    """A usual value of an enum: the first and the last may be special."""
    values = fields.enum_of(field).values
    return USUAL.get(fields.enum_of(field).name, values[len(values) // 2].name)


def queries(field: FieldDescriptor, world: World, resource: str) -> Iterator[str]:
    """Values that a question's field takes."""
    if field.type == fields.ENUM:
        yield from (value.name for value in fields.enum_of(field).values)
    elif field.type == fields.BOOL:
        yield from ("true", "false")
    elif field.type == fields.MESSAGE:
        yield "2026-01-02T03:04:05Z"
    elif field.type != fields.STRING:
        yield from ("0", "1", "100000")
    elif kind := kind_of(field, resource):
        yield from {world.known.get(kind, str(uuid4())), world.foreign.get(kind, str(uuid4())), str(uuid4())}
    elif rules.of(field).string.pattern:
        yield from ("2026-01-02",) if field.name.endswith("_date") else ()
    elif field.name not in ("page_token", "permission"):
        yield from (
            ("+862112345678",)
            if "phone" in field.name
            else ("远山", "a_b%", "C35"[: rules.of(field).string.max_len or 3])
        )


def changing(binding: Binding) -> bool:
    """Whether a binding creates or updates a resource."""
    return bool(binding.body) and binding.body != "*" and (binding.creates or binding.verb == "PATCH")


def stem(variable: str) -> str:
    """The kind of record that a variable of an address names: `customer` for `share.customer_id`."""
    return variable.rsplit(".", 1)[-1].removesuffix("_id")
