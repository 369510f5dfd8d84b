"""Which address and method stand for which RPC, as google.api.http and the messages' fields declare it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway import fields, templates
from gateway.catalogue import Rpc
from gateway.templates import Template

VERBS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Binding:
    """One method of one address. `body` is the request field the JSON fills, `*` for all of them, or nothing."""

    rpc: Rpc
    verb: str
    template: Template
    body: str

    @property
    def creates(self) -> bool:
        return self.verb == "POST" and self.rpc.method.name.startswith("Create")

    @property
    def empty(self) -> bool:
        """Answers nothing."""
        return self.rpc.method.output_type.full_name == "google.protobuf.Empty"

    @property
    def body_type(self) -> Descriptor | None:
        """The message that the JSON is."""
        if not self.body:
            return None
        request = self.rpc.method.input_type
        return request if self.body == "*" else request.fields_by_name[self.body].message_type

    @property
    def mask(self) -> str:
        """The request's field that names what an update changes."""
        return "update_mask" if "update_mask" in self.rpc.method.input_type.fields_by_name else ""

    @property
    def etag(self) -> str:
        """The path of the field that names the version a change was made from; nothing where none is asked for."""
        if self.verb == "GET" or self.creates:
            return ""
        if "etag" in self.rpc.method.input_type.fields_by_name:
            return "etag"
        if self.verb == "PATCH" and self.body_type and "etag" in self.body_type.fields_by_name:
            return f"{self.body}.etag"
        return ""

    @cached_property
    def filled(self) -> dict[str, str]:
        """JSON name, within the body, of each field that the address fills → the field's path in the request."""
        prefix = "" if self.body == "*" else f"{self.body}."
        inside = (path for path in self.template.variables if self.body and path.startswith(prefix))
        return {leaf(self.rpc.method.input_type, path).json_name: path for path in inside}

    @property
    def query(self) -> dict[str, FieldDescriptor]:
        """Proto path to field, of what the query string may fill: all that neither address, body nor header do."""
        if self.body == "*":
            return {}
        taken, inside = {*self.template.variables, self.etag}, f"{self.body}." if self.body else "."
        leaves = _leaves(self.rpc.method.input_type)
        return {path: field for path, field in leaves if path not in taken and not path.startswith(inside)}


def of(rpc: Rpc) -> Iterator[Binding]:
    """The bindings of an RPC; none where it has no address."""
    rule = rpc.method.GetOptions().Extensions[annotations_pb2.http]
    for each in (rule, *rule.additional_bindings):
        yield from _of_rule(rpc, each)


def leaf(message: Descriptor, path: str) -> FieldDescriptor:
    """The field at a path such as `customer.id`; KeyError where there is none."""
    *parents, last = path.split(".")
    for parent in parents:
        message = fields.message_of(message.fields_by_name[parent])
    return message.fields_by_name[last]


def json_path(message: Descriptor, path: str) -> str:
    """`filter.unitId` for `filter.unit_id`."""
    parts = path.split(".")
    return ".".join(leaf(message, ".".join(parts[: depth + 1])).json_name for depth in range(len(parts)))


def _of_rule(rpc: Rpc, rule: http_pb2.HttpRule) -> Iterator[Binding]:
    verb = rule.WhichOneof("pattern")
    if verb is None:
        return
    if verb not in VERBS:
        raise ValueError(f"{rpc.path} has a {verb} rule, which this gateway does not serve")
    yield Binding(rpc, verb.upper(), templates.parse(getattr(rule, verb)), rule.body)


def _leaves(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """The fields a query string can fill; a message's own fields by their paths."""
    for field in message.fields:
        path = f"{prefix}{field.name}"
        if field.type != fields.MESSAGE or fields.well_known(field):
            yield path, field
        elif not field.is_repeated:
            yield from _leaves(fields.message_of(field), f"{path}.")
