"""Field rights where messages are built: hidden fields are emptied, masked ones shown in part."""

from collections.abc import Iterable
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.call import Call
from chassis.caller import FieldAccess, Place
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
