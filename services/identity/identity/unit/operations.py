"""What is done to units, moving and closing apart: create, change. Refusals first."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis import clock, creation, guard, ids, masks
from chassis.call import Call
from identity import days
from identity.currencies import CURRENCIES
from identity.post import queries as posts
from identity.post import superiors
from identity.refusals import refuse
from identity.unit import nesting, queries, tree
from identity.unit.model import Unit, UnitParent
from identity.unit.moves import governed_parent
from tongxiao.identity.v1 import unit_pb2 as pb


def create_unit(call: Call, *, unit_id: UUID | None, given: Mapping[str, Any]) -> Unit:
    """Create a unit below a parent that the caller governs, from today on; zone and currency default to the parent's.

    The same again answers the unit as it is. Refuses COMPANY_EXISTS, PARENT_MISSING, PARENT_UNKNOWN, UNIT_BEYOND_REACH,
    UNIT_CLOSED, UNIT_KIND_ORDER, TIME_ZONE_UNKNOWN, CURRENCY_UNKNOWN, POST_UNKNOWN, CODE_TAKEN,
    ALREADY_EXISTS and ID_TAKEN.
    """
    session = call.session
    find, taken = queries.find_unit, queries.is_taken
    wanted = {name: value for name, value in given.items() if value or name not in ("time_zone", "currency")}
    if existing := creation.repeated(session, unit_id, wanted, find=find, taken=taken, field="unit.id"):
        return existing
    if given["kind"] == pb.UNIT_KIND_COMPANY:
        raise refuse("COMPANY_EXISTS", field="unit.kind")
    if not given["parent_id"]:
        raise refuse("PARENT_MISSING", field="unit.parent_id")
    queries.lock_tree(session)
    parent = governed_parent(call, given["parent_id"], field="unit.parent_id")
    nesting.demand_fits(given["kind"], parent, field="unit.kind")
    made = build(
        unit_id or ids.new_id(),
        {
            **given,
            "time_zone": given["time_zone"] or parent.time_zone,
            "currency": given["currency"] or parent.currency,
        },
    )
    _check_head(call, made.head_post_id)
    session.add(made)
    session.add(UnitParent(unit_id=made.id, parent_id=parent.id, start_on=queries.company_today(session), end_on=None))
    tree.publish(session, [made])
    call.trees.forget()
    return made


def build(unit_id: UUID, values: Mapping[str, Any]) -> Unit:
    """An open unit of checked values, not yet kept; refuses TIME_ZONE_UNKNOWN and CURRENCY_UNKNOWN."""
    now = clock.now()
    return Unit(
        id=unit_id,
        version=1,
        created_at=now,
        updated_at=now,
        state=pb.UNIT_STATE_ACTIVE,
        closed_on=None,
        tree_version=0,
        **_checked(values),
    )


def update_unit(call: Call, *, unit_id: UUID, etag: str, changes: Mapping[str, Any]) -> Unit:
    """Change a unit that the caller governs.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, COMPANY_EXISTS, UNIT_KIND_ORDER, UNIT_CLOSED, POST_UNKNOWN,
    SUPERIOR_CIRCLE, CODE_TAKEN and wrong values.
    """
    session = call.session
    queries.lock_tree(session)
    unit = queries.get_unit(session, unit_id)
    guard.demand(session, unit)
    masks.check_etag(etag, unit.version)
    if not unit.is_open:
        raise refuse("UNIT_CLOSED", field="unit.id")
    if "kind" in changes and (changes["kind"] == pb.UNIT_KIND_COMPANY) != (unit.parent_id is None):
        raise refuse("COMPANY_EXISTS", field="unit.kind")
    for name, value in _checked(changes).items():
        setattr(unit, name, value)
    if session.is_modified(unit):
        unit.updated_at = clock.now()
        if "kind" in changes:
            nesting.demand_still_fits(session, unit, queries.company_today(session))
        if "head_post_id" in changes:
            _check_head(call, unit.head_post_id)
        tree.publish(session, [unit])
        _check_line(call, unit.head_post_id)
    return unit


def _checked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if "time_zone" in values:
        days.checked_zone(values["time_zone"], field="unit.time_zone")
    if "currency" in values and values["currency"] not in CURRENCIES:
        raise refuse("CURRENCY_UNKNOWN", field="unit.currency")
    return values


def _check_head(call: Call, post_id: UUID | None) -> None:
    """Refuse POST_UNKNOWN a head post that the caller does not see."""
    with call.reading_as(posts.READ):
        if post_id and posts.find_post(call.session, post_id) is None:
            raise refuse("POST_UNKNOWN", field="unit.head_post_id")


def _check_line(call: Call, post_id: UUID | None) -> None:
    if post_id and superiors.runs_in_a_circle(call.session, post_id):
        raise refuse("SUPERIOR_CIRCLE", field="unit.head_post_id")
