"""Every select of units and their parents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock, schema
from chassis.reach import uuids
from identity import days
from identity.refusals import refuse
from identity.unit.model import Unit, UnitOccupancy, UnitParent
from tongxiao.identity.v1 import unit_pb2 as pb

_KNOWN = {"reach": "whether a unit named by the caller exists, and its zone"}
_TREE = {"reach": "the tree as a whole, for keeping it one"}
_NAMES = {"reach": "names of units, which the directory shows everybody"}


def lock_tree(session: Session) -> int:
    """The tree's version; nobody else changes the tree until this transaction ends."""
    first = insert(schema.org_state).values(id=1, tree_version=0).on_conflict_do_nothing()
    session.execute(first, execution_options=_TREE)
    locked = select(schema.org_state.c.tree_version).with_for_update()
    return int(session.execute(locked, execution_options=_TREE).scalar_one())


def find_unit(session: Session, unit_id: UUID) -> Unit | None:
    """The unit, if the caller may read it."""
    return session.scalars(select(Unit).where(Unit.id == unit_id)).one_or_none()


def get_unit(session: Session, unit_id: UUID) -> Unit:
    found = find_unit(session, unit_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def known_units(session: Session, unit_ids: Iterable[UUID]) -> dict[UUID, Unit]:
    """Units by id, within reach or beyond: for checking what a request names."""
    found = session.scalars(select(Unit).where(Unit.id.in_(set(unit_ids))), execution_options=_KNOWN)
    return {unit.id: unit for unit in found}


def called(session: Session, names: Iterable[str]) -> dict[str, set[UUID]]:
    """The ids of units by their codes, else by their names; whoever places something there is asked for more.

    They are found within reach or beyond; those that are closed only by their codes.
    """
    told = set(names)
    wanted = select(Unit.code, Unit.name, Unit.id, Unit.state).where(or_(Unit.code.in_(told), Unit.name.in_(told)))
    found = session.execute(wanted, execution_options=_KNOWN).all()
    by_name: dict[str, set[UUID]] = {}
    for row in found:
        if row.state != pb.UNIT_STATE_CLOSED:
            by_name.setdefault(row.name, set()).add(row.id)
    return {**by_name, **{row.code: {row.id} for row in found}}


def zone_of(session: Session, unit_id: UUID) -> str:
    """The time zone of a unit that exists."""
    return known_units(session, [unit_id])[unit_id].time_zone


def lock_open_units(session: Session, unit_ids: Iterable[UUID], *, field: str) -> dict[UUID, Unit]:
    """Units that stay open until the transaction ends; refuses UNIT_UNKNOWN and UNIT_CLOSED."""
    wanted = set(unit_ids)
    statement = select(Unit).where(Unit.id.in_(wanted)).order_by(Unit.id).with_for_update(read=True)
    found = {unit.id: unit for unit in session.scalars(statement, execution_options=_KNOWN)}
    if len(found) < len(wanted):
        raise refuse("UNIT_UNKNOWN", field=field)
    if not all(unit.is_open for unit in found.values()):
        raise refuse("UNIT_CLOSED", field=field)
    return found


def is_taken(session: Session, unit_id: UUID) -> bool:
    return session.scalar(select(Unit.id).where(Unit.id == unit_id), execution_options=_KNOWN) is not None


def company(session: Session) -> Unit | None:
    return session.scalars(select(Unit).where(Unit.parent_id.is_(None)), execution_options=_TREE).one_or_none()


def company_today(session: Session) -> date:
    """The day it is where the company is: moves take effect on its days."""
    found = company(session)
    return clock.today(found.time_zone) if found else clock.today()


def governs_all(session: Session, roots: Iterable[UUID], unit_ids: Iterable[UUID]) -> bool:
    """Whether each of the units is one of `roots` or lies below one."""
    wanted, table = set(unit_ids), schema.org_closure.c
    reached = select(func.count(func.distinct(table.descendant_id))).where(
        table.descendant_id == func.any(uuids(wanted)), table.ancestor_id == func.any(uuids(roots))
    )
    return session.scalar(reached, execution_options=_TREE) == len(wanted)


def below(session: Session, unit_id: UUID) -> Sequence[UUID]:
    """A unit and all below it today."""
    table = schema.org_closure.c
    wanted = select(table.descendant_id).where(table.ancestor_id == unit_id)
    return session.scalars(wanted, execution_options=_TREE).all()


def upward(session: Session, unit_id: UUID) -> Sequence[Unit]:
    """A unit and all above it today, nearest first."""
    table = schema.org_closure.c
    wanted = select(Unit).join(schema.org_closure, table.ancestor_id == Unit.id).where(table.descendant_id == unit_id)
    return session.scalars(wanted.order_by(table.depth), execution_options=_TREE).all()


def depths(session: Session, unit_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How far below the company units are today."""
    table = schema.org_closure.c
    wanted = select(table.descendant_id, func.max(table.depth)).where(table.descendant_id.in_(set(unit_ids)))
    found = session.execute(wanted.group_by(table.descendant_id), execution_options=_TREE)
    return dict(found.all())


def names(session: Session, unit_ids: Iterable[UUID]) -> dict[UUID, Unit]:
    """Units by id for showing their names, whoever asks."""
    found = session.scalars(select(Unit).where(Unit.id.in_(set(unit_ids))), execution_options=_NAMES)
    return {unit.id: unit for unit in found}


def parents_of(session: Session, unit_id: UUID) -> Sequence[UnitParent]:
    """A unit's stretches below its parents, oldest first."""
    wanted = select(UnitParent).where(UnitParent.unit_id == unit_id).order_by(UnitParent.start_on)
    return session.scalars(wanted).all()


def occupancies(session: Session, unit_id: UUID) -> Sequence[UnitOccupancy]:
    """What services said of a unit when it was last to be closed, by their names."""
    wanted = select(UnitOccupancy).where(UnitOccupancy.unit_id == unit_id).order_by(UnitOccupancy.service)
    return session.scalars(wanted).all()


def stretches_from(session: Session, day: date) -> Sequence[UnitParent]:
    """Every unit's stretches that reach a day or lie after it."""
    wanted = select(UnitParent).where(or_(UnitParent.end_on.is_(None), UnitParent.end_on >= day))
    return session.scalars(wanted, execution_options=_TREE).all()


def parents_on(session: Session, day: date) -> dict[UUID, UUID | None]:
    """The tree of a day: each unit's parent."""
    wanted = select(UnitParent.unit_id, UnitParent.parent_id).where(days.valid_on(UnitParent, day))
    return dict(session.execute(wanted, execution_options=_TREE).all())


def _first_parents(session: Session, after: date) -> dict[UUID, UUID | None]:
    """The first parent that each unit has from a later day on."""
    stretches = select(UnitParent.unit_id, UnitParent.parent_id).where(UnitParent.start_on > after)
    latest_first = stretches.order_by(UnitParent.start_on.desc())
    # Of each unit the last row counts.
    return dict(session.execute(latest_first, execution_options=_TREE).all())


def below_on(session: Session, unit_id: UUID, day: date) -> set[UUID]:
    """A unit and all below it in the tree of a day; units that came later are where they were put first."""
    parents = {**_first_parents(session, day), **parents_on(session, day)}
    return {at for at in parents if unit_id in upward_in(parents, at)}


def upward_in(parents: Mapping[UUID, UUID | None], unit_id: UUID) -> Iterator[UUID]:
    """A unit and all above it in a tree."""
    at: UUID | None = unit_id
    while at is not None:
        yield at
        at = parents.get(at)


def due_moves(session: Session, day: date) -> Sequence[tuple[Unit, UUID]]:
    """Units that have another parent on this day than the tree knows."""
    wanted = (
        select(Unit, UnitParent.parent_id)
        .join(UnitParent, UnitParent.unit_id == Unit.id)
        .where(days.valid_on(UnitParent, day), UnitParent.parent_id != Unit.parent_id)
        .where(Unit.state != pb.UNIT_STATE_CLOSED)
    )
    return [(unit, parent_id) for unit, parent_id in session.execute(wanted) if parent_id]


def count_children(session: Session, unit_id: UUID, day: date) -> int:
    """How many open units lie below this one on a day, or are to move there later."""
    wanted = (
        select(func.count(UnitParent.unit_id.distinct()))
        .join(Unit, Unit.id == UnitParent.unit_id)
        .where(UnitParent.parent_id == unit_id, Unit.state != pb.UNIT_STATE_CLOSED)
        .where(or_(UnitParent.end_on.is_(None), UnitParent.end_on >= day))
    )
    return session.scalar(wanted, execution_options=_TREE) or 0
