"""Update masks and etags: what an update names, and which version it was made from."""

from collections.abc import Collection

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.errors import refuse
from tongxiao.common.v1 import options_pb2


def changed_fields(call: Call, resource: Message, mask: FieldMask, *, allowed: Collection[str]) -> list[str]:
    """The fields that an update names, each of which the caller may edit wherever the resource lies.

    Refuses MASK_INVALID and FIELD_READ_ONLY what is not `allowed`, FIELD_NOT_READABLE what the caller may not edit.
    """
    names = named_fields(resource, mask, allowed=allowed)
    for name in names:
        right = resource.DESCRIPTOR.fields_by_name[name].GetOptions().Extensions[options_pb2.field_right]
        if right and call.field_access(right) < FieldAccess.EDIT:
            raise refuse("FIELD_NOT_READABLE", field=name)
    return names


def named_fields(resource: Message, mask: FieldMask, *, allowed: Collection[str]) -> list[str]:
    """The fields of `resource` an update names: those of the mask, else those populated; `*` is all allowed.

    Refuses what is not `allowed`: FIELD_READ_ONLY a field of the resource, MASK_INVALID what is none.
    """
    paths = list(mask.paths) or [field.name for field, _ in resource.ListFields() if field.name in allowed]
    if paths == ["*"]:
        paths = sorted(allowed)
    for path in paths:
        name = path.split(".", 1)[0]
        if name not in allowed:
            known = name in resource.DESCRIPTOR.fields_by_name
            raise refuse("FIELD_READ_ONLY" if known else "MASK_INVALID", field=path)
    return list(dict.fromkeys(path.split(".", 1)[0] for path in paths))


def etag(version: int) -> str:
    return str(version)


def check_etag(given: str, version: int) -> None:
    """Refuse VERSION_MISMATCH an etag that is not of this version; `*` is of every one, and none is of none."""
    if given != "*" and given != etag(version):
        raise refuse("VERSION_MISMATCH", current=etag(version))
