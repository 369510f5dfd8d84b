"""RolesService: message → arguments → operation → message."""

from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import clock, masks
from chassis.call import DEFAULT_FIELD_ACCESS, Call
from chassis.ids import parse_id
from identity.refusals import refuse
from identity.role import operations, queries
from identity.role.catalogue import PERMISSIONS, governed_fields
from identity.role.model import Role
from tongxiao.common.v1 import title_pb2
from tongxiao.common.v1.permission_pb2 import Permission
from tongxiao.identity.v1 import role_pb2 as pb

CHANGEABLE = ("code", "name", "name_en", "level", "permissions", "grantable_permissions", "field_rights")


def get_role(request: pb.GetRoleRequest, call: Call) -> pb.Role:
    return to_message(queries.get_role(call.session, UUID(request.id)))


def list_roles(request: pb.ListRolesRequest, call: Call) -> pb.ListRolesResponse:
    found, token = queries.list_roles(call, request)
    return pb.ListRolesResponse(roles=[to_message(role) for role in found], next_page_token=token)


def create_role(request: pb.CreateRoleRequest, call: Call) -> pb.Role:
    given = request.role
    made = operations.create_role(call, role_id=parse_id(given.id), given=_attributes(given, CHANGEABLE))
    return to_message(made)


def update_role(request: pb.UpdateRoleRequest, call: Call) -> pb.Role:
    given = request.role
    names = masks.changed_fields(call, given, request.update_mask, allowed=CHANGEABLE)
    changes = _attributes(given, names)
    return to_message(operations.update_role(call, role_id=UUID(given.id), etag=given.etag, changes=changes))


def delete_role(request: pb.DeleteRoleRequest, call: Call) -> Empty:
    operations.delete_role(call, role_id=UUID(request.id), etag=request.etag)
    return Empty()


def list_permissions(request: pb.ListPermissionsRequest, call: Call) -> pb.ListPermissionsResponse:  # noqa: ARG001
    default: Any = int(DEFAULT_FIELD_ACCESS)
    return pb.ListPermissionsResponse(
        permissions=[_permission(name, number) for name, number in PERMISSIONS.items()],
        field_rights=[pb.FieldRightInfo(field=field, default_access=default) for field in governed_fields()],
    )


def to_message(role: Role) -> pb.Role:
    rights: Any = sorted(role.field_rights.items())
    return pb.Role(
        id=str(role.id),
        code=role.code,
        name=role.name,
        name_en=role.name_en,
        level=role.level,  # type: ignore[arg-type]
        permissions=role.permissions,
        grantable_permissions=role.grantable_permissions,
        field_rights=[pb.FieldRight(field=field, access=access) for field, access in rights],
        built_in=role.built_in,
        etag=masks.etag(role.version),
        create_time=clock.stamp(role.created_at),
        update_time=clock.stamp(role.updated_at),
    )


def _permission(name: str, number: int) -> pb.PermissionInfo:
    title = Permission.DESCRIPTOR.values_by_number[number].GetOptions().Extensions[title_pb2.title]
    return pb.PermissionInfo(name=name, title=title.zh, title_en=title.en)


def _attributes(given: pb.Role, names: Any) -> dict[str, Any]:
    """The values of fields, in the types the model keeps; refuses INVALID_FIELD a field right given twice."""
    found: dict[str, Any] = {name: getattr(given, name) for name in names}
    for name in {"permissions", "grantable_permissions"} & found.keys():
        found[name] = sorted(found[name])
    if "field_rights" in found:
        rights = {right.field: int(right.access) for right in given.field_rights}
        if len(rights) < len(given.field_rights):
            raise refuse("INVALID_FIELD", field="role.field_rights")
        found["field_rights"] = rights
    return found
