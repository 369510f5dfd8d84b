"""Passing rights on: only what a grant lets its holder grant, only over units that the very same grant governs."""

from collections.abc import Iterable
from uuid import UUID

from chassis.call import Call
from identity.post import queries
from identity.post.model import Post
from identity.refusals import refuse
from identity.role.model import Role
from identity.unit import queries as units


def demand(call: Call, *, unit_ids: Iterable[UUID], permissions: Iterable[str], field: str = "") -> None:
    """Refuse unless one single grant that holds the RPC's permission governs all the units and may grant it all.

    UNIT_BEYOND_REACH where none governs them, NOT_GRANTABLE where none that does may grant the permissions.
    """
    wanted, passed_on = set(unit_ids), set(permissions)
    grants = call.caller.granting(call.rpc.permission)
    governing = [grant.post_id for grant in grants if units.governs_all(call.session, grant.governs, wanted)]
    if not governing:
        raise refuse("UNIT_BEYOND_REACH", field=field)
    grantable = queries.grantable_by(call.session, governing)
    if not any(passed_on <= grantable.get(post_id, frozenset()) for post_id in governing):
        raise refuse("NOT_GRANTABLE", field=field)


def demand_post(call: Call, post: Post, role: Role, *, field: str = "") -> None:
    """Refuse UNIT_BEYOND_REACH or NOT_GRANTABLE a post that the caller could not have made."""
    demand(call, unit_ids={post.unit_id, *post.governed_unit_ids}, permissions=passing_on(role), field=field)


def passing_on(role: Role) -> set[str]:
    """All that whoever gets a role could do, by themselves or through others."""
    return {*role.permissions, *role.grantable_permissions}
