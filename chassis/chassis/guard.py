"""Reach in API sessions: added to every ORM statement, demanded before every flush; what slips past is refused."""

import re
from collections.abc import Collection
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Exists, SelectBase, event, func, inspect, select
from sqlalchemy.orm import FromStatement, ORMExecuteState, Session
from sqlalchemy.sql import visitors

from chassis import reach
from chassis.call import Call
from chassis.either import Either
from chassis.errors import refuse
from chassis.reach import Reach, Unscoped

# What nested transactions say touches no row.
_SAVEPOINT = re.compile(r"(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) \w+")
_flushing: ContextVar[bool] = ContextVar("flushing", default=False)


class ReachError(Exception):
    """A statement that reach cannot be added to. A fault of the program, never of a request."""


class ReachedSession(Session):
    """The session of an RPC. A statement leaves reach only by `execution_options(reach="why")`."""

    @property
    def call(self) -> Call:
        found: Call = self.info["call"]
        return found


@event.listens_for(ReachedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    if state.execution_options.get("reach"):
        return
    slips = not state.is_orm_statement or not state.is_select or state.is_column_load
    if slips or isinstance(state.statement, FromStatement):
        raise ReachError(f"reach cannot be added to: {str(state.statement)[:200]}")
    if not state.is_relationship_load:
        state.statement = state.statement.options(*_criteria(state))
    state.update_execution_options(reach="applied")


def _criteria(state: ORMExecuteState) -> list[Any]:
    call: Call = state.session.info["call"]
    named = {mapper.class_ for mapper in state.all_mappers}
    if not named <= set(call.classes):
        raise ReachError(f"mapped after the process had started: {named - set(call.classes)}")
    if not call.reading:
        if any(not isinstance(reach.rule_of(cls), Unscoped) for cls in named):
            raise ReachError(f"{call.rpc.name} has no permission, so it reaches nothing of {named}")
        return []
    if _is_plain(state.statement):
        return reach.criteria(call.read_scope, named)
    classes = (cls for cls in call.classes if not _declared(cls).included or cls in named)
    return reach.criteria(call.read_scope, classes)


def _is_plain(statement: Any) -> bool:
    """Whether a statement names no class but those it selects: no joins, and no selects within its conditions."""
    if statement._setup_joins or statement._from_obj:
        return False
    where = statement.whereclause
    return where is None or not any(isinstance(part, SelectBase | Exists) for part in visitors.iterate(where))


def watch(engine: Engine) -> None:
    """Refuse, on this engine, every statement that neither reach, a flush nor a named exemption stands behind."""
    event.listen(engine, "before_cursor_execute", _refuse_unreached)


def _refuse_unreached(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
    if _SAVEPOINT.fullmatch(statement):
        return
    if context is not None and not _flushing.get() and not context.execution_options.get("reach"):
        raise ReachError(f"reach was not added to: {statement[:200]}")


@event.listens_for(ReachedSession, "before_flush")
def _demand_all(session: ReachedSession, _context: Any, _instances: Any) -> None:
    new = {(type(entity), _key(entity)) for entity in session.new}
    for entity in session.new:
        _demand_new(session, entity, beside=new)
    for entity in {*session.dirty, *session.deleted}:
        if entity in session.deleted or (session.is_modified(entity) and not _follows(entity)):
            demand(session, entity)
    _flushing.set(True)


def _follows(entity: Any) -> bool:
    """Whether a change is of derived columns alone: they follow another record, whose change is demanded itself."""
    state = inspect(entity)
    return all(
        key in state.mapper.columns and state.mapper.columns[key].info.get("derived") for key in state.committed_state
    )


@event.listens_for(ReachedSession, "after_flush")
def _flushed(session: Session, _context: Any) -> None:
    """What the caller was allowed to make, they may change."""
    _flushing.set(False)
    made = {(type(entity), _key(entity)) for entity in session.new}
    session.info.setdefault("demanded", set()).update(made)


@event.listens_for(ReachedSession, "after_soft_rollback")
def _abandoned(_session: Session, _previous: Any) -> None:
    _flushing.set(False)


def demand(session: Session, entity: Any) -> None:
    """Refuse OUT_OF_REACH unless the caller may change this row, as it stands in the database."""
    demand_key(session, type(entity), inspect(entity).identity[0])


def demand_key(session: Session, cls: type, key: UUID) -> None:
    """Refuse OUT_OF_REACH unless the caller may change the row of this class with this key."""
    demanded: set[tuple[type, UUID]] = session.info.setdefault("demanded", set())
    if (cls, key) in demanded or isinstance(reach.rule_of(cls, change=True), Unscoped):
        return
    call: Call = session.info["call"]
    statement = reach.demanded(cls, call.change_scope)
    with session.no_autoflush:
        if not session.scalar(statement, {"key": key}, execution_options={"reach": "demand"}):
            raise refuse("OUT_OF_REACH")
    demanded.add((cls, key))


def changeable(session: Session, cls: type, keys: Collection[UUID]) -> set[UUID]:
    """Those of the rows of this class that the caller may change; asked of many at once, and remembered."""
    call: Call = session.info["call"]
    rows: Any = cls.__table__.alias()  # type: ignore[attr-defined]
    wanted = select(rows.c.id).where(rows.c.id == func.any(reach.uuids(keys)))
    wanted = wanted.where(reach.condition(cls, rows.c.id, call.change_scope))
    found = set(session.scalars(wanted, execution_options={"reach": "demand"}))
    session.info.setdefault("demanded", set()).update((cls, key) for key in found)
    return found


def _demand_new(session: Session, entity: Any, *, beside: Collection[tuple[type, UUID]]) -> None:
    """A new row must be reached once it is there: by its owner and unit, or through a parent, which may be new too."""
    call: Call = session.info["call"]
    rule = reach.rule_of(type(entity), change=True)
    if isinstance(rule, Either):
        raise ReachError(f"a new {type(entity).__name__} has no one place that reach could ask for")
    if isinstance(rule, reach.Owned):
        if not call.change_scope.covers(getattr(entity, rule.owner), getattr(entity, rule.unit)):
            raise refuse("OUT_OF_REACH")
    elif isinstance(rule, reach.Placed):
        if not session.scalar(select(rule.admits(entity, call.change_scope)), execution_options={"reach": "demand"}):
            raise refuse("OUT_OF_REACH")
    elif isinstance(rule, reach.Through):
        key = getattr(entity, rule.column)
        if (rule.parent(), key) not in beside:
            demand_key(session, rule.parent(), key)


def _key(entity: Any) -> UUID:
    found: UUID = inspect(entity).mapper.primary_key_from_instance(entity)[0]
    return found


def _declared(cls: type) -> Reach:
    found: Reach = cls.__reach__  # type: ignore[attr-defined]
    return found
