"""The catalogue: every permission, and every field that a role's field rights may name."""

from collections.abc import Iterable, Iterator
from functools import cache

from google.protobuf.descriptor import Descriptor, FileDescriptor

from chassis.rpc import permission_name
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1.permission_pb2 import Permission
from tongxiao.customers.v1 import contact_pb2, contact_record_pb2, customer_pb2
from tongxiao.identity.v1 import employee_pb2

FILES: tuple[FileDescriptor, ...] = (
    employee_pb2.DESCRIPTOR,
    customer_pb2.DESCRIPTOR,
    contact_pb2.DESCRIPTOR,
    contact_record_pb2.DESCRIPTOR,
)

# Name → number: a name is what roles keep, the number what passports carry.
PERMISSIONS: dict[str, int] = {permission_name(number): number for number in Permission.values() if number}


def names_of(numbers: Iterable[int]) -> list[str]:
    """Permissions by name, in the catalogue's order; numbers of a newer release are left out."""
    wanted = set(numbers)
    return [name for name, number in PERMISSIONS.items() if number in wanted]


def numbers_of(names: Iterable[str]) -> frozenset[int]:
    """Permissions by number; names of a newer release are left out."""
    return frozenset(PERMISSIONS[name] for name in names if name in PERMISSIONS)


@cache
def governed_fields() -> tuple[str, ...]:
    """Every governed field's name, found in the contracts themselves."""
    found = (right for file in FILES for message in file.message_types_by_name.values() for right in _rights(message))
    return tuple(sorted(set(found)))


def _rights(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        if right := field.GetOptions().Extensions[options_pb2.field_right]:
            yield right
    for nested in message.nested_types:
        yield from _rights(nested)
