"""Messages and enums as JSON schemas, each a component under its own name."""

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway import fields
from gateway.openapi import comments, rules
from gateway.openapi.rules import Schema
from gateway.openapi.texts import both

PREFIX = "#/components/schemas/"
_INT32 = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
_UINT32 = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_WELL_KNOWN: dict[str, Schema] = {
    fields.TIMESTAMP: {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00Z"]},
    fields.STRUCT: {"type": "object", "additionalProperties": True},
    fields.MASK: {"type": "string", "examples": ["name,note"]},
}


class Schemas:
    """Collects the components that the references it gives out point at."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        self._owners: dict[str, str] = {}

    def message(self, message: Descriptor) -> Schema:
        """A reference to a message's schema."""
        if self._claim(message.name, message.full_name):
            self.components[message.name] = self._object(message, message.fields)
        return {"$ref": PREFIX + message.name}

    def update(self, message: Descriptor) -> Schema:
        """A reference to the schema of a change: every field may be absent, and null clears one."""
        name = f"{message.name}Update"
        if self._claim(name, f"{message.full_name} (update)"):
            found = self._object(message, message.fields)
            found.pop("required", None)
            found["properties"] = {key: _or_null(schema) for key, schema in found["properties"].items()}
            self.components[name] = found
        return {"$ref": PREFIX + name}

    def action(self, message: Descriptor, taken: set[str]) -> Schema:
        """A request of a custom action, but for the fields that the address fills. Written where it is used."""
        return self._object(message, [field for field in message.fields if field.name not in taken])

    def field(self, field: FieldDescriptor) -> Schema:
        """A field's schema, with its rules and its comment."""
        found = self._bare(field)
        text = comments.of(field.full_name)
        if text:
            found = {**found, "description": text}
        if fields.is_output_only(field):
            found = {**found, "readOnly": True}
        return found

    def _claim(self, name: str, owner: str) -> bool:
        """Whether the name is new; two messages of one name would be one component."""
        held = self._owners.setdefault(name, owner)
        if held != owner:
            raise ValueError(f"{held} and {owner} are both called {name}")
        if name in self.components:
            return False
        self.components[name] = {}
        return True

    def _object(self, message: Descriptor, members: Any) -> Schema:
        found: Schema = {
            "type": "object",
            "properties": {field.json_name: self.field(field) for field in members},
            "additionalProperties": False,
        }
        required = [field.json_name for field in members if rules.is_required(field)]
        if required:
            found["required"] = required
        text = comments.of(message.full_name)
        return {**found, "description": text} if text else found

    def _bare(self, field: FieldDescriptor) -> Schema:
        if fields.is_map(field):
            value = fields.message_of(field).fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._one(value, rules.of(field))}
        if field.is_repeated:
            items = self._one(field, rules.of(field).repeated.items)
            return {"type": "array", "items": items, **rules.array(field)}
        return self._one(field, rules.of(field))

    def _one(self, field: FieldDescriptor, given: Any) -> Schema:
        if field.type == fields.MESSAGE:
            known = fields.well_known(field)
            return dict(_WELL_KNOWN[known]) if known else self.message(fields.message_of(field))
        if field.type == fields.ENUM:
            return self._enum(fields.enum_of(field), given)
        if field.type == fields.STRING:
            return rules.string(field, given)
        return _number_or_truth(field, given)

    def _enum(self, enum: EnumDescriptor, given: Any) -> Schema:
        if self._claim(enum.name, enum.full_name):
            names = [value.name for value in enum.values]
            described = both(description=comments.of_enum(enum))
            self.components[enum.name] = {"type": "string", "enum": names, **described}
        reference = {"$ref": PREFIX + enum.name}
        excluded = [enum.values_by_number[number].name for number in given.enum.not_in]
        return {"allOf": [reference, {"not": {"enum": excluded}}]} if excluded else reference


def _number_or_truth(field: FieldDescriptor, given: Any) -> Schema:
    if field.type in fields.SIGNED:
        return {**_INT32, **rules.number(given.int32)}
    if field.type in fields.UNSIGNED:
        return {**_UINT32, **rules.number(given.uint32)}
    if field.type in fields.REALS:
        return {"type": "number", **rules.number(given.double)}
    return {"type": "boolean"} if field.type == fields.BOOL else {"type": "string", "contentEncoding": "base64"}


def _or_null(schema: Schema) -> Schema:
    if schema.get("readOnly"):
        return schema
    about = {key: schema[key] for key in ("description",) if key in schema}
    return {"anyOf": [{key: value for key, value in schema.items() if key not in about}, {"type": "null"}], **about}
