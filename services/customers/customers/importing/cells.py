"""Cells as the values of messages: labels as enum values, lists, days as people write them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from chassis import imports
from chassis.import_rows import Result
from chassis.pipeline import InvalidRequest, validate
from customers.refusals import refuse
from tongxiao.customers.v1 import contact_pb2, customer_pb2

_SEPARATORS = re.compile(r"[,;，；、/|\n]+")

# How people write the values of enums, beside the names in the contracts.
_LABELS: dict[str, tuple[tuple[str, ...], ...]] = {
    "CustomerTier": (("A", "重点", "key"), ("B", "重要", "important"), ("C", "一般", "普通", "ordinary")),
    "CustomerSize": (("微型", "micro"), ("小型", "small"), ("中型", "medium"), ("大型", "large")),
    "CustomerSource": (
        ("自行开发", "自拓", "prospecting"),
        ("转介绍", "referral", "referrals"),
        ("展会", "exhibition"),
        (
            *("网络", "web", "online", "organic search", "paid search", "organic social", "paid social"),
            *("social media", "email marketing", "direct traffic", "other campaigns", "ai referrals"),
        ),
        ("合作伙伴", "partner"),
        ("其他", "other", "offline", "offline sources"),
    ),
    "ContactRole": (
        ("决策人", "decision maker"),
        ("影响人", "influencer"),
        ("采购", "buyer"),
        ("使用人", "user"),
        ("财务", "finance"),
        ("其他", "other"),
    ),
}
_ENUMS = (
    *(customer_pb2.DESCRIPTOR.enum_types_by_name[name] for name in ("CustomerTier", "CustomerSize", "CustomerSource")),
    contact_pb2.DESCRIPTOR.enum_types_by_name["ContactRole"],
)


def _known(enum: EnumDescriptor) -> dict[str, int]:
    names = {value.name.lower(): value.number for value in enum.values}
    labels = {label.lower(): at for at, labels in enumerate(_LABELS[enum.name], start=1) for label in labels}
    short = {value.name.removeprefix(_prefix(enum)).lower(): value.number for value in enum.values if value.number}
    return {**labels, **short, **names}


def _prefix(enum: EnumDescriptor) -> str:
    """`CUSTOMER_TIER_` of CUSTOMER_TIER_UNSPECIFIED."""
    return enum.values[0].name.removesuffix("UNSPECIFIED")


_VALUES = {enum.full_name: _known(enum) for enum in _ENUMS}


def label(enum: EnumDescriptor, value: int, language: str) -> str:
    """How a value is written in a language, so that an import knows it; nothing for what is not said."""
    labels = _LABELS[enum.name][value - 1] if value else ("",)
    return next(each for each in labels if each.isascii() == (language == "en") or not each)


def fill(message: Message, values: Mapping[str, str], names: Iterable[str]) -> None:
    """Fill the fields of these names that have a cell; refuses VALUE_UNKNOWN a label that no enum has."""
    for name in names:
        if name in values:
            _fill(message, message.DESCRIPTOR.fields_by_name[name], values[name])


def _fill(message: Message, field: Any, cell: str) -> None:
    if field.is_repeated:
        getattr(message, field.name).extend(split(cell))
    elif field.enum_type:
        setattr(message, field.name, _value(field, cell))
    else:
        setattr(message, field.name, imports.day(cell) if field.name in ("next_contact_date", "birthday") else cell)


def split(cell: str) -> Sequence[str]:
    """The parts of a cell that holds several values, each once."""
    return list(dict.fromkeys(part.strip() for part in _SEPARATORS.split(cell) if part.strip()))


def _value(field: Any, cell: str) -> int:
    known = _VALUES[field.enum_type.full_name]
    label = cell.lower() if cell.lower() in known else cell.lower().replace("_", " ")
    if label not in known:
        raise refuse("VALUE_UNKNOWN", field=field.name)
    return known[label]


def faults_of(request: Message) -> Result | None:
    """What the contracts' own rules refuse in a request, by field; nothing where they refuse nothing."""
    try:
        validate(request)
    except InvalidRequest as invalid:
        return imports.invalidated(invalid)
    return None
