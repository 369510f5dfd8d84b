"""Replies: read from the wire and written as JSON by native code, in a third of the time that reflection takes.

As proto3 JSON with defaults: scalars, enums and lists are always there, so that a resource has one shape;
messages (times among them) and `optional` fields are there when they are set.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FileDescriptor
from protobuf import Message as Reply
from protobuf import Registry
from protobuf.wkt import FileDescriptorSet

from gateway import fields


@cache
def kind(message: Descriptor) -> type[Reply]:
    """The native class of a message: `kind(…).from_binary(wire)`."""
    _demand_served(message, set())
    found = _registry(message.file).message(message.full_name)
    assert found is not None
    return found.type


def encoded(reply: Reply) -> bytes:
    """The reply as JSON."""
    return reply.to_json(always_emit_implicit=True).encode()


def value(reply: Any, name: str) -> str:
    """A text field of a reply, such as its etag; nothing where it has none."""
    return getattr(reply, name, "")


@cache
def _registry(file: FileDescriptor) -> Registry:
    files = descriptor_pb2.FileDescriptorSet()
    _add(file, files, set())
    return FileDescriptorSet.from_binary(files.SerializeToString()).to_registry()


def _add(file: FileDescriptor, files: descriptor_pb2.FileDescriptorSet, seen: set[str]) -> None:
    """A file after those it depends on."""
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add(dependency, files, seen)
    copied = files.file.add()
    file.CopyToProto(copied)
    for message in copied.message_type:
        _name(message)


def _name(message: descriptor_pb2.DescriptorProto) -> None:
    """Generated code leaves the JSON names out, and the native classes do not make them up."""
    for field in message.field:
        head, *rest = field.name.split("_")
        field.json_name = head + "".join(part.capitalize() for part in rest)
    for nested in message.nested_type:
        _name(nested)


def _demand_served(message: Descriptor, seen: set[str]) -> None:
    """TypeError for what JSON would not carry unharmed, anywhere in a message."""
    if message.full_name in seen or message.full_name.startswith("google.protobuf."):
        return
    seen.add(message.full_name)
    for field in message.fields:
        fields.demand_served(field)
        if field.type == fields.MESSAGE:
            _demand_served(fields.message_of(field), seen)
