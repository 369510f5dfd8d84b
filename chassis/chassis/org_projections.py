"""The organisation as a projection: what is kept of units and people, compared whole and healed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from chassis import organisation, schema
from chassis.envelope import Envelope
from chassis.organisation import REACH
from chassis.projection import Contents, Projection
from tongxiao.identity.events.v1.events_pb2 import OrgChanged, PersonChanged

# The key under which the version of the tree stands among the units.
TREE = "tree"


def _kept_units(session: Session) -> Mapping[str, Any]:
    """Each unit with all above it, and the tree's version."""
    found: dict[str, Any] = {TREE: organisation.locked_version(session)}
    table = schema.org_closure.c
    above = select(table.descendant_id, func.array_agg(table.ancestor_id)).group_by(table.descendant_id)
    ancestors: dict[Any, Any] = dict(session.execute(above, execution_options=REACH).all())
    for row in session.execute(select(schema.org_units), execution_options=REACH).mappings():
        found[str(row["id"])] = {**row, "above": set(ancestors.pop(row["id"], ()))}
    return found | {f"what lies above {unit_id}": set(above_it) for unit_id, above_it in ancestors.items()}


def _told_units(events: Sequence[Envelope]) -> Mapping[str, Any]:
    parts = [event.read(OrgChanged()) for event in events]
    units = {row["id"]: row for part in parts for row in map(organisation.unit_row, part.units)}
    found: dict[str, Any] = {str(id_): {**row, "above": _above(id_, units)} for id_, row in units.items()}
    return found | {TREE: parts[0].tree_version if parts else 0}


def _above(unit_id: Any, units: Mapping[Any, Mapping[str, Any]]) -> set[Any]:
    found: set[Any] = set()
    while unit_id in units and unit_id not in found:
        found.add(unit_id)
        unit_id = units[unit_id]["parent_id"]
    return found


def _heal_units(session: Session, events: Sequence[Envelope], _keys: Sequence[str]) -> None:
    """The tree is one: whatever of it differs, all of it is taken over."""
    parts = [event.read(OrgChanged()) for event in events]
    if parts:
        units = [unit for part in parts for unit in part.units]
        organisation.replace_units(session, parts[0].tree_version, units, forced=True)


def _kept_people(session: Session) -> Mapping[str, Any]:
    session.execute(text("LOCK TABLE org_people IN SHARE ROW EXCLUSIVE MODE"), execution_options=REACH)
    rows = session.execute(select(schema.org_people), execution_options=REACH).mappings()
    return {str(row["id"]): dict(row) for row in rows}


def _told_people(events: Sequence[Envelope]) -> Mapping[str, Any]:
    return {event.subject: organisation.person_row(_person(event), event.version) for event in events}


def _person(event: Envelope) -> PersonChanged:
    if event.tombstone:
        return PersonChanged(id=event.subject, state=organisation.GONE)
    found: PersonChanged = event.read(PersonChanged())
    return found


def _heal_people(session: Session, events: Sequence[Envelope], keys: Sequence[str]) -> None:
    people = schema.org_people
    session.execute(delete(people).where(people.c.id.in_(map(UUID, keys))), execution_options=REACH)
    for event in events:
        if event.subject in keys:
            organisation.person_changed(session, event)


PROJECTIONS = (
    Projection(
        source="identity",
        type="org.changed.v1",
        apply=organisation.org_changed,
        fill=organisation.fill_units,
        contents=Contents(kept=_kept_units, told=_told_units, heal=_heal_units),
    ),
    Projection(
        source="identity",
        type="person.changed.v1",
        apply=organisation.person_changed,
        contents=Contents(kept=_kept_people, told=_told_people, heal=_heal_people),
    ),
)
