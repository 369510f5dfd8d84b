"""Moving units: from a day on, a unit with its whole subtree lies below another parent."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import audit, clock, guard, masks
from chassis.call import Call
from identity import days
from identity.refusals import refuse
from identity.unit import nesting, queries, tree
from identity.unit.model import Unit, UnitParent

_DAY = timedelta(days=1)


def move_unit(
    call: Call, *, unit_id: UUID, parent_id: UUID, effective_date: str, replace_planned: bool, etag: str
) -> Unit:
    """Move a unit below another parent from a day on, today at the earliest, in the company's time zone.

    Where the unit lies there anyway, nothing changes. Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, UNIT_CLOSED,
    PARENT_UNKNOWN, UNIT_BEYOND_REACH, UNIT_KIND_ORDER, DATE_INVALID, DATE_IN_PAST, MOVE_INTO_ITSELF, on any day to
    come, and MOVE_PLANNED, naming the day, where a planned move would be lost that is not to be replaced.
    """
    session = call.session
    queries.lock_tree(session)
    unit = queries.get_unit(session, unit_id)
    guard.demand(session, unit)
    masks.check_etag(etag, unit.version)
    if unit.parent_id is None:
        raise refuse("MOVE_INTO_ITSELF", field="parent_id")
    if not unit.is_open:
        raise refuse("UNIT_CLOSED", field="id")
    guard.demand_key(session, Unit, unit.parent_id)
    today = queries.company_today(session)
    day = days.checked_day(effective_date, field="effective_date") or today
    if day < today:
        raise refuse("DATE_IN_PAST", field="effective_date")
    parent = governed_parent(call, parent_id, field="parent_id")
    if _lies_there(session, unit_id, parent_id, day):
        return unit
    if closes_circle(queries.stretches_from(session, day), unit_id, parent_id, day):
        raise refuse("MOVE_INTO_ITSELF", field="parent_id")
    nesting.demand_fits(unit.kind, parent, field="parent_id")
    _give_up(call, unit, from_=max(day, today + _DAY), replace_planned=replace_planned)
    replan(session, unit_id, parent_id, day)
    unit.updated_at = clock.now()
    if day > today:
        _note(call, unit, parent_id, start=day, end=None)
    elif unit.parent_id != parent_id:
        unit.parent_id = parent_id
        tree.publish(session, [unit])
        call.trees.forget()
    session.flush()
    return unit


def _give_up(call: Call, unit: Unit, *, from_: date, replace_planned: bool) -> None:
    """Have the trail tell of the planned moves that are given up. Refuses MOVE_PLANNED where they are not to be."""
    planned = [each for each in queries.parents_of(call.session, unit.id) if each.start_on >= from_]
    if planned and not replace_planned:
        first = planned[0]
        raise refuse("MOVE_PLANNED", field="effective_date", start_date=first.start_on, parent_id=first.parent_id)
    for each in planned:
        _note(call, unit, each.parent_id, start=each.start_on, end=each.start_on - _DAY)


def _note(call: Call, unit: Unit, parent_id: UUID | None, *, start: date, end: date | None) -> None:
    """Have the trail of the unit, too, tell of a move that is planned; one given up ends before it begins."""
    told = {"parent_id": parent_id, "start_date": start, "end_date": end}
    audit.record(call.session, call.rpc.name, unit, told)


def governed_parent(call: Call, parent_id: UUID, *, field: str) -> Unit:
    """The open unit that another is put below; refuses PARENT_UNKNOWN, UNIT_BEYOND_REACH, UNIT_CLOSED."""
    parent = queries.find_unit(call.session, parent_id)
    if parent is None:
        raise refuse("PARENT_UNKNOWN", field=field)
    if not queries.governs_all(call.session, call.change_scope.governed, [parent_id]):
        raise refuse("UNIT_BEYOND_REACH", field=field)
    if not parent.is_open:
        raise refuse("UNIT_CLOSED", field=field)
    return parent


def _lies_there(session: Session, unit_id: UUID, parent_id: UUID, day: date) -> bool:
    """Whether a unit lies below a parent from a day on, with no other planned."""
    later = [each for each in queries.parents_of(session, unit_id) if each.end_on is None or each.end_on >= day]
    return {each.parent_id for each in later} == {parent_id} and any(days.is_valid(each, day) for each in later)


def closes_circle(stretches: Iterable[UnitParent], unit_id: UUID, parent_id: UUID, day: date) -> bool:
    """Whether the unit, below that parent from `day` on, would lie below itself on any day from then on."""
    others = [stretch for stretch in stretches if stretch.unit_id != unit_id]
    turns = {day, *(stretch.start_on for stretch in others if stretch.start_on > day)}
    for turn in turns:
        parents = {stretch.unit_id: stretch.parent_id for stretch in others if days.is_valid(stretch, turn)}
        if unit_id in _upward(parents, parent_id):
            return True
    return False


def replan(session: Session, unit_id: UUID, parent_id: UUID, day: date) -> None:
    """Have the unit lie below the parent from `day` on, whatever was planned for later."""
    stretches = queries.parents_of(session, unit_id)
    for later in (each for each in stretches if each.start_on >= day):
        session.delete(later)
    before = max((each for each in stretches if each.start_on < day), key=lambda each: each.start_on, default=None)
    goes_on = before is not None and before.parent_id == parent_id
    if before:
        before.end_on = None if goes_on else day - _DAY
    session.flush()
    if not goes_on:
        session.add(UnitParent(unit_id=unit_id, parent_id=parent_id, start_on=day, end_on=None))


def apply_due(session: Session) -> int:
    """Bring today's tree in line with the moves planned for today or before; how many units moved."""
    queries.lock_tree(session)
    due = queries.due_moves(session, queries.company_today(session))
    for unit, parent_id in due:
        unit.parent_id = parent_id
    if due:
        tree.publish(session, [unit for unit, _ in due])
    return len(due)


def _upward(parents: Mapping[UUID, UUID | None], unit_id: UUID) -> set[UUID]:
    """A unit and all above it."""
    found: set[UUID] = set()
    at: UUID | None = unit_id
    while at is not None and at not in found:
        found.add(at)
        at = parents.get(at)
    return found
