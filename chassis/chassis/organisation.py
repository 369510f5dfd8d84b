"""The organisation as identity tells it, in every service (and in itself): units, who is below whom, people.

The tree is one aggregate: its versions follow each other without a gap, and every statement here keeps the closure
right for units that move, come before their parent, or (a fault elsewhere) stand in a circle.
"""

import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import schema
from chassis.envelope import Envelope
from chassis.errors import refuse
from chassis.ids import parse_id
from chassis.projection import upsert_newer
from tongxiao.identity.events.v1.events_pb2 import OrgChanged, OrgUnit, PersonChanged

log = logging.getLogger(__name__)

REACH = {"reach": "organisation"}
GONE = "GONE"

# Whose ancestors change when these units get another parent: they and whoever is below them now.
_AFFECTED = text("""
WITH RECURSIVE affected(id) AS (
    SELECT unnest(CAST(:moved AS uuid[]))
    UNION SELECT unit.id FROM org_units unit JOIN affected ON unit.parent_id = affected.id
)
SELECT id FROM affected
""")
_FORGET = text("DELETE FROM org_closure WHERE descendant_id = ANY (CAST(:units AS uuid[]))")
# A circle is walked once.
_REBUILD = text("""
WITH RECURSIVE upward(descendant_id, ancestor_id, depth, seen) AS (
    SELECT id, id, 0, ARRAY[id] FROM unnest(CAST(:units AS uuid[])) AS id
    UNION ALL
    SELECT descendant_id, parent.id, depth + 1, seen || parent.id
    FROM upward JOIN org_units unit ON unit.id = ancestor_id JOIN org_units parent ON parent.id = unit.parent_id
    WHERE parent.id <> ALL (seen)
)
INSERT INTO org_closure (ancestor_id, descendant_id, depth) SELECT ancestor_id, descendant_id, depth FROM upward
""")


def apply_units(session: Session, tree_version: int, units: Iterable[OrgUnit]) -> bool:
    """Take over what one version of the tree changed; whether it was news.

    Refuses NOT_YET_KNOWN while the version before is missing. An older version changes nothing.
    """
    known = locked_version(session)
    if tree_version <= known:
        return False
    if tree_version != known + 1:
        raise refuse("NOT_YET_KNOWN")
    _keep_units(session, list(units))
    _set_version(session, tree_version)
    return True


def replace_units(session: Session, tree_version: int, units: Iterable[OrgUnit], *, forced: bool = False) -> bool:
    """Take over the whole tree, whatever was known, unless that is newer (`forced`: even so); whether it was taken.

    What came early stays for the handler of events, which may have to answer it.
    """
    if tree_version < locked_version(session) and not forced:
        return False
    for table in (schema.org_closure, schema.org_units):
        session.execute(delete(table), execution_options=REACH)
    _keep_units(session, list(units))
    _set_version(session, tree_version)
    return True


def apply_person(session: Session, person: PersonChanged, version: int) -> bool:
    """Take over a person's state unless it is known or newer is; whether it was news."""
    return upsert_newer(session, schema.org_people, person_row(person, version))


def apply_people(session: Session, people: Iterable[tuple[PersonChanged, int]]) -> None:
    """Take over many people's states at once, each unless it is known or newer is."""
    rows = [person_row(person, version) for person, version in people]
    if not rows:
        return
    statement = insert(schema.org_people)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    newer = schema.org_people.c.version < statement.excluded.version
    upsert = statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer)
    session.execute(upsert, rows, execution_options=REACH)


def forget_person(session: Session, person_id: UUID, version: int) -> bool:
    """Keep of a person that they are gone, so that no older state brings them back."""
    return apply_person(session, PersonChanged(id=str(person_id), state=GONE), version)


def org_changed(session: Session, event: Envelope) -> list[OrgChanged]:
    """Handle `org.changed.v1`: the versions taken over by it, or known before, in order.

    A version that comes before its turn is kept; it is taken over right after the one before. After a backfill, that
    may be one kept too.
    """
    found = event.read(OrgChanged())
    if found.tree_version > locked_version(session) + 1:
        _keep_early(session, found)
        return _catch_up(session)
    apply_units(session, found.tree_version, found.units)
    return [found, *_catch_up(session)]


def person_changed(session: Session, event: Envelope) -> None:
    """Handle `person.changed.v1`."""
    if event.tombstone:
        forget_person(session, UUID(event.subject), event.version)
    else:
        apply_person(session, event.read(PersonChanged()), event.version)


def fill_units(session: Session, events: Sequence[Envelope]) -> None:
    """Take over the tree from all the events of one snapshot of it."""
    parts = [event.read(OrgChanged()) for event in events]
    if parts:
        replace_units(session, parts[0].tree_version, [unit for part in parts for unit in part.units])


def locked_version(session: Session) -> int:
    """The version known, locked until the end of the transaction."""
    first = insert(schema.org_state).values(id=1, tree_version=0).on_conflict_do_nothing()
    session.execute(first, execution_options=REACH)
    locked = select(schema.org_state.c.tree_version).with_for_update()
    return int(session.execute(locked, execution_options=REACH).scalar_one())


def _keep_early(session: Session, told: OrgChanged) -> None:
    log.warning("version %s of the tree came before its turn", told.tree_version)
    row = {"tree_version": told.tree_version, "told": told.SerializeToString()}
    session.execute(insert(schema.org_early).values(row).on_conflict_do_nothing(), execution_options=REACH)


def _catch_up(session: Session) -> list[OrgChanged]:
    """Take over the versions that came early and whose turn it is now; these and what is known of them by now."""
    early, known = schema.org_early.c, locked_version(session)
    kept = session.execute(select(early.told).order_by(early.tree_version), execution_options=REACH)
    taken = []
    for told in map(OrgChanged.FromString, kept.scalars().all()):
        if told.tree_version <= known + 1:
            apply_units(session, told.tree_version, told.units)
            known = max(known, told.tree_version)
            taken.append(told)
    session.execute(delete(schema.org_early).where(early.tree_version <= known), execution_options=REACH)
    return taken


def _set_version(session: Session, tree_version: int) -> None:
    session.execute(update(schema.org_state).values(tree_version=tree_version), execution_options=REACH)


def _keep_units(session: Session, units: Sequence[OrgUnit]) -> None:
    rows = [unit_row(unit) for unit in {unit.id: unit for unit in units}.values()]
    if not rows:
        return
    table = schema.org_units.c
    known = select(table.id, table.parent_id).where(table.id.in_([row["id"] for row in rows]))
    placed = {tuple(row) for row in session.execute(known, execution_options=REACH)}
    statement = insert(schema.org_units)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    upsert = statement.on_conflict_do_update(index_elements=["id"], set_=changed)
    session.execute(upsert, rows, execution_options=REACH)
    moved = [row["id"] for row in rows if (row["id"], row["parent_id"]) not in placed]
    if moved:
        _place(session, moved)


def _place(session: Session, moved: Sequence[object]) -> None:
    """Make the closure right for units with a new parent, and for all below them."""
    affected = list(session.scalars(_AFFECTED, {"moved": moved}, execution_options=REACH))
    for step in (_FORGET, _REBUILD):
        session.execute(step, {"units": affected}, execution_options=REACH)


def person_row(person: PersonChanged, version: int) -> dict[str, object]:
    return {
        "id": UUID(person.id),
        "version": version,
        "number": person.number,
        "name": person.name,
        "name_en": person.name_en,
        "state": person.state,
        "unit_id": parse_id(person.unit_id),
        "unit_ids": [UUID(unit) for unit in person.unit_ids],
    }


def unit_row(unit: OrgUnit) -> dict[str, object]:
    told = {name: getattr(unit, name) for name in ("code", "name", "name_en", "kind", "time_zone", "currency", "state")}
    return {"id": UUID(unit.id), "parent_id": parse_id(unit.parent_id), **told}
