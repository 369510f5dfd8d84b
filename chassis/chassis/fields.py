"""Field rights where messages are built and changed: hidden fields are emptied, masked ones shown in part."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.call import Call
from chassis.caller import FieldAccess, Place
from chassis.errors import refuse
from chassis.rpc import snake_case
from tongxiao.common.v1 import options_pb2

MASK = "****"


def govern(call: Call, message: Message, places: Iterable[Place]) -> None:
    """Hide or mask the fields of a resource, lying in these places, that the caller may not read in clear."""
    for field, right in governed(message.DESCRIPTOR):
        access = call.field_access(right, places)
        if access == FieldAccess.HIDDEN:
            message.ClearField(field.name)
        elif access == FieldAccess.MASKED and getattr(message, field.name):
            _mask(message, field)


def editable(call: Call, kept: Any, changes: Mapping[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """The changes of a record that lies in these places, apart from those that say a field as the caller is shown it.

    So what was read can be sent back whole. A text that is shown in part may be replaced unseen, by another that is no
    mask. Refuses FIELD_NOT_READABLE every other value of a field one may not edit: a list, which would lose what is
    not seen of it, nothing in place of something, and what is hidden or only read.
    """
    found, lying, descriptor = dict(changes), list(places), type(kept).__audit_message__.DESCRIPTOR
    for field, right in governed(descriptor):
        name = field.name
        access = call.field_access(right, lying)
        if name not in changes or access >= FieldAccess.EDIT:
            continue
        shown = [_shown(getattr(kept, name), each) for each in (access, call.read_access(right, lying))]
        if changes[name] in shown:
            del found[name]
        elif access != FieldAccess.MASKED or not _replaces(changes[name]):
            raise refuse("FIELD_NOT_READABLE", field=f"{snake_case(descriptor.name)}.{name}")
    return found


def _replaces(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not is_masked(value)


def unseen(call: Call, kept: Any, names: Collection[str], places: Iterable[Place]) -> set[str]:
    """Those of a record's fields that the caller is not shown whole: whether a new value is another, nothing tells."""
    rights = [(field.name, right) for field, right in governed(type(kept).__audit_message__.DESCRIPTOR)]
    rights = [(name, right) for name, right in rights if name in names]
    lying = list(places) if rights else []
    return {name for name, right in rights if call.read_access(right, lying) < FieldAccess.READ}


def _shown(value: Any, access: FieldAccess) -> Any:
    """A text, or texts, as somebody of this access reads it."""
    if access == FieldAccess.HIDDEN:
        return type(value)()
    if access == FieldAccess.MASKED:
        return [masked_text(part) for part in value] if isinstance(value, list) else value and masked_text(value)
    return value


def places_matter(call: Call, descriptor: Descriptor) -> bool:
    """Whether the caller's rights on the fields of a message type differ from place to place."""
    return any(call.grants_differ(right) for _, right in governed(descriptor))


@cache
def governed(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, str], ...]:
    """The governed fields of a message type, each with its right's name."""
    rights = ((field, field.GetOptions().Extensions[options_pb2.field_right]) for field in descriptor.fields)
    return tuple((field, right) for field, right in rights if right)


def _mask(message: Message, field: FieldDescriptor) -> None:
    value = getattr(message, field.name)
    if field.is_repeated:
        masked = [masked_text(part) for part in value]
        del value[:]
        value.extend(masked)
    else:
        setattr(message, field.name, masked_text(value))


def masked_text(value: str) -> str:
    """What is shown of a value: `+861****5678` of a number, `z****@example.com` of an address, `****` of the rest."""
    if "@" in value:
        name, _, host = value.rpartition("@")
        return f"{name[:1]}{MASK}@{host}"
    digits = sum(letter.isdigit() for letter in value)
    if digits >= 7 and value[:1] in "+0123456789" and "-" not in value:
        return f"{value[:-8]}{MASK}{value[-4:]}" if len(value) > 8 else f"{MASK}{value[-3:]}"
    return MASK


def is_masked(value: str) -> bool:
    """Whether a value is a mask that came back."""
    return MASK in value
