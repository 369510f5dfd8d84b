"""What is done to posts: create, change, delete. Refusals first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, creation, guard, ids, masks
from chassis.call import Call
from identity import days
from identity.post import granting, queries, superiors, tenure_queries
from identity.post import holding_queries as holdings
from identity.post.model import Post, PostUnit
from identity.refusals import refuse
from identity.role import queries as roles
from identity.session import rights
from identity.unit import queries as units

# What the rights of whoever holds the post hang on.
_RIGHTS = ("role_id", "unit_id", "governed_unit_ids", "start_on", "end_on")


def create_post(call: Call, *, post_id: UUID | None, given: Mapping[str, Any]) -> Post:
    """Create a post whose rights the caller may grant over all its units. The same again answers the post as it is.

    Refuses UNIT_UNKNOWN, UNIT_CLOSED, ROLE_UNKNOWN, POST_UNKNOWN, UNIT_BEYOND_REACH, NOT_GRANTABLE, DATES_REVERSED,
    SUPERIOR_CIRCLE, CODE_TAKEN, ALREADY_EXISTS and ID_TAKEN.
    """
    session = call.session
    find, taken = queries.find_post, queries.is_taken
    if existing := creation.repeated(session, post_id, given, find=find, taken=taken, field="post.id"):
        return existing
    now = clock.now()
    made = Post(id=post_id or ids.new_id(), version=1, created_at=now, updated_at=now, **given)
    _check(call, made)
    session.add(made)
    session.flush()
    session.add(PostUnit(post_id=made.id, unit_id=made.unit_id, start_on=None, end_on=None))
    _check_line(session, made.id)
    return made


def update_post(call: Call, *, post_id: UUID, etag: str, changes: Mapping[str, Any]) -> Post:
    """Change a post, both as it was and as it becomes one that the caller might have made.

    Who holds it is affected within seconds; nobody changes the rights of a post they hold. Refuses NOT_FOUND,
    OUT_OF_REACH, VERSION_MISMATCH, NOT_ONESELF and what creating refuses.
    """
    session = call.session
    post = queries.get_post(session, post_id)
    guard.demand(session, post)
    masks.check_etag(etag, post.version)
    granting.demand_post(call, post, roles.get_role(session, post.role_id))
    changed = {name for name, value in changes.items() if getattr(post, name) != value}
    holders = holdings.holders_of_post(session, post_id)
    if changed & set(_RIGHTS) and call.caller.person_id in holders:
        raise refuse("NOT_ONESELF")
    for name in changed:
        setattr(post, name, changes[name])
    if not changed:
        return post
    post.updated_at = clock.now()
    _check(call, post)
    session.flush()
    if "unit_id" in changed:
        _belong(session, post)
    if changed & {"unit_id", "superior_post_id"}:
        _check_line(session, post_id)
    if changed & set(_RIGHTS):
        rights.changed(session, holders)
    return post


def delete_post(call: Call, *, post_id: UUID, etag: str) -> None:
    """Delete a post that nobody has ever held, with the tenures of it that were called off before they began.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH and POST_IN_USE.
    """
    session = call.session
    post = queries.get_post(session, post_id)
    guard.demand(session, post)
    masks.check_etag(etag, post.version)
    if queries.was_ever_held(session, post_id):
        raise refuse("POST_IN_USE")
    for called_off in tenure_queries.of_post(session, post_id):
        session.delete(called_off)
    session.flush()
    session.delete(post)
    session.flush()


def _check(call: Call, post: Post) -> None:
    """Refuse a post with wrong references or days, or that the caller may not make."""
    session = call.session
    days.checked_span(post.start_on, post.end_on, field="post.end_date")
    role = roles.find_role(session, post.role_id)
    if role is None:
        raise refuse("ROLE_UNKNOWN", field="post.role_id")
    units.lock_open_units(session, [post.unit_id], field="post.unit_id")
    units.lock_open_units(session, post.governed_unit_ids, field="post.governed_unit_ids")
    granting.demand_post(call, post, role, field="post")
    if post.superior_post_id and not queries.known_posts(session, [post.superior_post_id]):
        raise refuse("POST_UNKNOWN", field="post.superior_post_id")


def _check_line(session: Session, post_id: UUID) -> None:
    if superiors.runs_in_a_circle(session, post_id):
        raise refuse("SUPERIOR_CIRCLE", field="post.superior_post_id")


def _belong(session: Session, post: Post) -> None:
    """Have the post belong to its new unit from today on."""
    stretch = queries.open_stretch(session, post.id)
    today = clock.today(units.zone_of(session, post.unit_id))
    if stretch.start_on == today:
        stretch.unit_id = post.unit_id
        return
    stretch.end_on = today - timedelta(days=1)
    session.flush()
    session.add(PostUnit(post_id=post.id, unit_id=post.unit_id, start_on=today, end_on=None))
    session.flush()
