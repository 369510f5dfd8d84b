"""What is done to roles: create, change, delete. Refusals first."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from chassis import clock, creation, ids, masks
from chassis.call import Call
from identity.post import granting
from identity.post import holding_queries as holdings
from identity.post import queries as posts
from identity.refusals import refuse
from identity.role import queries
from identity.role.catalogue import PERMISSIONS, governed_fields
from identity.role.model import Role
from identity.session import rights
from identity.unit import queries as units

# What the rights of whoever has the role hang on.
_RIGHTS = ("level", "permissions", "grantable_permissions", "field_rights")


def create_role(call: Call, *, role_id: UUID | None, given: Mapping[str, Any]) -> Role:
    """Create a role out of permissions that the caller may grant throughout the company.

    The same again answers the role as it is. Refuses PERMISSION_UNKNOWN, FIELD_UNKNOWN, UNIT_BEYOND_REACH,
    NOT_GRANTABLE, CODE_TAKEN and ALREADY_EXISTS.
    """
    if existing := creation.repeated(call.session, role_id, given, find=queries.find_role, field="role.id"):
        return existing
    now = clock.now()
    made = Role(id=role_id or ids.new_id(), built_in=False, version=1, created_at=now, updated_at=now, **given)
    _check(made)
    _demand_grantable(call, granting.passing_on(made))
    call.session.add(made)
    call.session.flush()
    return made


def update_role(call: Call, *, role_id: UUID, etag: str, changes: Mapping[str, Any]) -> Role:
    """Change a role; nobody changes the rights of one they have, and none is given what the caller may not grant.

    Who has it is affected within seconds. Refuses NOT_FOUND, VERSION_MISMATCH, NOT_ONESELF and what creating refuses.
    """
    session = call.session
    role = queries.get_role(session, role_id)
    masks.check_etag(etag, role.version)
    changed = {name for name, value in changes.items() if getattr(role, name) != value}
    if not changed:
        return role
    holders = holdings.holders_of_role(session, role_id)
    if changed & set(_RIGHTS) and call.caller.person_id in holders:
        raise refuse("NOT_ONESELF")
    before = granting.passing_on(role)
    for name in changed:
        setattr(role, name, changes[name])
    _check(role)
    _demand_grantable(call, granting.passing_on(role) - before)
    role.updated_at = clock.now()
    session.flush()
    if changed & set(_RIGHTS):
        rights.changed(session, holders)
    return role


def delete_role(call: Call, *, role_id: UUID, etag: str) -> None:
    """Delete a role that no post uses. Refuses NOT_FOUND, VERSION_MISMATCH, ROLE_BUILT_IN and ROLE_IN_USE."""
    role = queries.get_role(call.session, role_id)
    masks.check_etag(etag, role.version)
    if role.built_in:
        raise refuse("ROLE_BUILT_IN")
    if posts.role_in_use(call.session, role_id):
        raise refuse("ROLE_IN_USE")
    call.session.delete(role)
    call.session.flush()


def _check(role: Role) -> None:
    for name in ("permissions", "grantable_permissions"):
        if not PERMISSIONS.keys() >= set(getattr(role, name)):
            raise refuse("PERMISSION_UNKNOWN", field=f"role.{name}")
    if not set(governed_fields()) >= role.field_rights.keys():
        raise refuse("FIELD_UNKNOWN", field="role.field_rights")


def _demand_grantable(call: Call, permissions: Iterable[str]) -> None:
    """A role is the whole company's: whoever makes one must be able to grant its rights throughout."""
    company = units.company(call.session)
    granting.demand(call, unit_ids=[company.id] if company else [], permissions=permissions, field="role.permissions")
