"""protovalidate's rules as JSON Schema keywords."""

from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor

from tongxiao.common.v1 import options_pb2

Schema = dict[str, Any]

_DATE = r"\d{4}-\d{2}-\d{2}"


# The rules' module is built at run time and has no types.
Rules = Any
_RULES: Any = validate_pb2


def of(field: FieldDescriptor) -> Rules:
    return field.GetOptions().Extensions[_RULES.field]


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request without the field is always refused."""
    rules = of(field)
    if rules.required or rules.string.min_len or rules.repeated.min_items or 0 in rules.enum.not_in:
        return True
    return bool(rules.string.uuid) and not _may_be_empty(rules)


def string(field: FieldDescriptor, rules: Rules) -> Schema:
    """The keywords of a text. What a role may see masked keeps no format: a mask has none."""
    found: Schema = {"type": "string", **_lengths(rules.string)}
    if getattr(rules.string, "in"):
        return {"type": "string", "enum": list(getattr(rules.string, "in"))}
    if rules.string.pattern:
        found["pattern"] = rules.string.pattern
        if _DATE in rules.string.pattern:
            found["examples"] = ["2026-01-31"]
    form = "uuid" if rules.string.uuid else "email" if rules.string.email else ""
    if not form or field.GetOptions().Extensions[options_pb2.field_right]:
        return found
    found["format"] = form
    return {"anyOf": [{"const": ""}, found]} if _may_be_empty(rules) else found


def number(rules: Any) -> Schema:
    """The bounds of a number."""
    bounds = (("gte", "minimum"), ("lte", "maximum"), ("gt", "exclusiveMinimum"), ("lt", "exclusiveMaximum"))
    return {keyword: getattr(rules, name) for name, keyword in bounds if rules.HasField(name)}


def array(field: FieldDescriptor) -> Schema:
    """The keywords of a list but for its items."""
    rules, found = of(field).repeated, Schema()
    if rules.min_items:
        found["minItems"] = rules.min_items
    if rules.max_items:
        found["maxItems"] = rules.max_items
    if rules.unique:
        found["uniqueItems"] = True
    return found


def _lengths(rules: Rules) -> Schema:
    bounds = (("min_len", "minLength"), ("max_len", "maxLength"))
    return {keyword: getattr(rules, name) for name, keyword in bounds if rules.HasField(name)}


def _may_be_empty(rules: Rules) -> bool:
    return bool(rules.ignore == _RULES.IGNORE_IF_ZERO_VALUE)
