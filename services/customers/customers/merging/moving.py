"""Moving what belongs to one customer to another, and back: whole tables at once, with a record of every row."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, update
from sqlalchemy.orm import Session

from chassis import schema
from chassis.arrays import uuids
from customers.contact.model import ContactPlace
from customers.contact_record.model import ContactRecord
from customers.customer.model import Assignment, AssignmentPeriod, Customer, Share
from customers.joining.model import JoinRequest
from customers.merging import queries, rows
from customers.merging.rows import Row
from customers.registration.model import Registration

CHILDREN = queries.CHILDREN
# What simply moves: its table by name, and the column that says whose it is.
_PLAIN: dict[str, tuple[Any, str]] = {
    "contact_places": (ContactPlace, "customer_id"),
    "contact_records": (ContactRecord, "customer_id"),
    "shares": (Share, "customer_id"),
    "assignment_periods": (AssignmentPeriod, "customer_id"),
    "join_requests": (JoinRequest, "customer_id"),
    "registrations": (Registration, "customer_id"),
    "subsidiaries": (Customer, "parent_id"),
}
# Of what the winner may have one alike: the key that must stay unique.
_UNIQUE: dict[str, tuple[Any, str]] = {"contact_places": (ContactPlace, "contact_id"), "shares": (Share, "person_id")}
# Aggregates whose state names their customer, so that moving makes a new version.
_VERSIONED = ("join_requests", "registrations", "subsidiaries")


def move_all(session: Session, *, winner_id: UUID, loser_id: UUID) -> dict[str, Any]:
    """Move everything but lines from loser to winner; the record of what moved and what gave way."""
    removed = {name: _give_way(session, name, winner_id=winner_id, loser_id=loser_id) for name in _UNIQUE}
    removed["access"] = _end_access(session, [UUID(share["id"]) for share in removed["shares"]])
    moved = {name: _move(session, name, to=winner_id, since=loser_id) for name in _PLAIN}
    _move_access(session, moved["shares"], winner_id)
    return {"moved": moved, "removed": removed}


def move_back(session: Session, record: dict[str, Any], *, winner_id: UUID, loser_id: UUID) -> dict[str, list[str]]:
    """Put back what a record names and the winner still has, and what gave way; the ids of what moved."""
    moved = {name: _move(session, name, to=loser_id, since=winner_id, only=record["moved"][name]) for name in _PLAIN}
    _move_access(session, moved["shares"], loser_id)
    for name, (cls, _) in _UNIQUE.items():
        _restore(session, cls.__table__, record["removed"][name])
    _restore(session, schema.access, record["removed"]["access"])
    return moved


def _move(session: Session, name: str, *, to: UUID, since: UUID, only: Sequence[str] | None = None) -> list[str]:
    cls, column = _PLAIN[name]
    table: Table = cls.__table__
    values: Row = {column: to} | ({"version": table.c.version + 1} if name in _VERSIONED else {})
    statement = update(table).where(table.c[column] == since, table.c.id != to).values(values).returning(table.c.id)
    if only is not None:
        statement = statement.where(table.c.id == func.any(uuids(map(UUID, only))))
    return sorted(str(id_) for id_ in session.scalars(statement, execution_options=CHILDREN))


def _give_way(session: Session, name: str, *, winner_id: UUID, loser_id: UUID) -> list[Row]:
    """Take away the loser's rows of which the winner has one alike."""
    cls, key = _UNIQUE[name]
    found = queries.giving_way(session, cls, key=key, winner_id=winner_id, loser_id=loser_id)
    _delete(session, cls.__table__, [row.id for row in found])
    return [rows.kept(row) for row in found]


def _delete(session: Session, table: Table, ids: Iterable[UUID]) -> None:
    session.execute(delete(table).where(table.c.id == func.any(uuids(ids))), execution_options=CHILDREN)


def _restore(session: Session, table: Table, kept: Sequence[Row]) -> None:
    if kept:
        session.connection().execute(insert(table), rows.given_back(table, kept), execution_options=CHILDREN)


def _end_access(session: Session, share_ids: Sequence[UUID]) -> list[Row]:
    found = queries.access_of(session, share_ids)
    table = schema.access
    ended = delete(table).where(table.c.source == "share", table.c.source_id == func.any(uuids(share_ids)))
    session.execute(ended, execution_options=CHILDREN)
    return [rows.kept(row) for row in found]


def _move_access(session: Session, share_ids: Sequence[str], customer_id: UUID) -> None:
    table = schema.access
    of_shares = (table.c.source == "share", table.c.source_id == func.any(uuids(map(UUID, share_ids))))
    session.execute(update(table).where(*of_shares).values(entity_id=customer_id), execution_options=CHILDREN)


def take_lines(session: Session, winner: Customer, loser: Customer, *, taken: set[UUID], now: datetime) -> Row:
    """Move the loser's lines. Of a line that both have, one owner stays and the other's stretch is closed.

    Before periods move. The record says which assignments moved, gave way or changed, and which stretches to reopen.
    """
    held = {assignment.line_id: assignment for assignment in winner.assignments}
    ours, theirs = queries.open_periods(session, winner.id), queries.open_periods(session, loser.id)
    record: Row = {"moved": [], "lines": [], "removed": [], "changed": [], "reopen_winner": [], "reopen_loser": []}
    for assignment in loser.assignments:
        line_id = assignment.line_id
        if line_id not in held:
            record["moved"].append(str(assignment.id))
            record["lines"].append(str(line_id))
            continue
        record["removed"].append(_row(assignment))
        record["reopen_loser"].append(str(theirs[line_id]))
        if line_id in taken:
            record["changed"].append(_overtake(session, held[line_id], assignment))
            record["reopen_winner"].append(str(ours[line_id]))
        _set_end(session, [ours[line_id] if line_id in taken else theirs[line_id]], now)
    table: Any = Assignment.__table__
    _delete(session, table, [UUID(row["id"]) for row in record["removed"]])
    place_lines(session, record["moved"], winner)
    return record


def place_lines(session: Session, ids: Sequence[str], customer: Customer) -> None:
    """Put assignments to a customer, with its sort keys."""
    table: Any = Assignment.__table__
    keys = {name: getattr(customer, name) for name in ("created_at", "last_contact_at", "sort_name")}
    moved = update(table).where(table.c.id == func.any(uuids(map(UUID, ids)))).values(customer_id=customer.id, **keys)
    session.execute(moved, execution_options=CHILDREN)


_OWNING = ("owner_id", "unit_id", "since")


def _overtake(session: Session, ours: Assignment, theirs: Assignment) -> Row:
    before = {name: rows.plain(getattr(ours, name)) for name in _OWNING}
    values = {name: getattr(theirs, name) for name in _OWNING}
    table: Any = Assignment.__table__
    session.execute(update(table).where(table.c.id == ours.id).values(values), execution_options=CHILDREN)
    return {"id": str(ours.id), "before": before, "after": {name: rows.plain(value) for name, value in values.items()}}


def give_lines_back(session: Session, record: Row, loser: Customer) -> None:
    """Put lines back, as they are by now; what gave way comes back as it was."""
    table: Any = Assignment.__table__
    place_lines(session, record["moved"], loser)
    _restore(session, table, record["removed"])


def reopen(session: Session, record: Row, *, winner_id: UUID, loser_id: UUID) -> None:
    """Let stretches go on that the merge had ended, and give lines the history added to them since.

    After periods moved back. A line that was taken goes back to its owner of before, unless it was reassigned since.
    """
    table: Any = Assignment.__table__
    periods: Any = AssignmentPeriod.__table__
    _set_end(session, map(UUID, record["reopen_loser"]), None)
    for changed, period_id in zip(record["changed"], record["reopen_winner"], strict=True):
        same = [table.c[name] == rows.typed(table, name, value) for name, value in changed["after"].items()]
        before = {name: rows.typed(table, name, value) for name, value in changed["before"].items()}
        undone = update(table).where(table.c.id == UUID(changed["id"]), *same).values(before).returning(table.c.id)
        if session.scalar(undone, execution_options=CHILDREN):
            _set_end(session, [UUID(period_id)], None)
    lines = func.any(uuids(map(UUID, record["lines"])))
    since = update(periods).where(periods.c.line_id == lines, periods.c.customer_id == winner_id)
    session.execute(since.values(customer_id=loser_id), execution_options=CHILDREN)


def _set_end(session: Session, period_ids: Iterable[UUID], ended_at: datetime | None) -> None:
    table: Any = AssignmentPeriod.__table__
    ended = update(table).where(table.c.id == func.any(uuids(period_ids))).values(ended_at=ended_at)
    session.execute(ended, execution_options=CHILDREN)


def _row(assignment: Assignment) -> Row:
    return {column.name: rows.plain(getattr(assignment, column.name)) for column in Assignment.__table__.columns}
