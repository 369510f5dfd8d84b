"""PostgreSQL: engines, the declarative base's conventions, and the only commits there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import DateTime, Engine, MetaData, Text, Uuid, create_engine, event
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.errors import DomainError

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# What every service's declarative base maps plain annotations to.
TYPES: dict[Any, Any] = {datetime: DateTime(timezone=True), UUID: Uuid(), str: Text()}


def conventional_metadata() -> MetaData:
    """A service's own MetaData; services share none."""
    return MetaData(naming_convention=NAMING)


class Versioned:
    """Columns of a record that people change: its version is the etag."""

    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


# A peer that is gone without a word is noticed within half a minute, by a statement under way too.
ALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def connect(url: str, *, name: str, pool_size: int, statement_timeout_ms: int = 10_000) -> Engine:
    """An engine whose sessions never wait for ever; compiling a statement of milliseconds (jit) costs more than that.

    What is asked often keeps its plan: for a record by its id, planning is most of the work. What is executed with
    ANEW is planned for its own values.
    """
    options = (
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout=5000 "
        "-c idle_in_transaction_session_timeout=60000 -c jit=off -c timezone=UTC"
    )
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        hide_parameters=True,
        json_serializer=_json,
        json_deserializer=orjson.loads,
        connect_args={"application_name": name, "options": options, "connect_timeout": 5, **ALIVE},
    )
    event.listen(engine, "do_execute", _plan_anew)
    return engine


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


# Options of lists and searches: the plan that fits all values costs a hundred times the right one for many owners.
ANEW = {"plan": "anew"}


def _plan_anew(cursor: Any, statement: Any, parameters: Any, context: Any) -> bool | None:
    """Execute without a prepared statement, and so without a kept plan, what asks for that."""
    if context is None or context.execution_options.get("plan") != ANEW["plan"]:
        return None
    cursor.execute(statement, parameters, prepare=False)
    return True


S = TypeVar("S", bound=Session)


@contextmanager
def transaction(engine: Engine, **info: Any) -> Iterator[Session]:
    """A session whose work is kept whole, or not at all."""
    with transaction_of(Session, engine, **info) as session:
        yield session


@contextmanager
def transaction_of(kind: type[S], engine: Engine, **info: Any) -> Iterator[S]:
    """The same, in a session of a kind of its own."""
    with kind(engine, expire_on_commit=False, autoflush=False, info=info) as session:
        yield session
        session.commit()


@contextmanager
def tracing_refusals(session: Session) -> Iterator[None]:
    """Where a refusal leaves a trace, keep that and undo all else; the trace itself may end in another refusal."""
    try:
        yield
    except DomainError as refusal:
        if refusal.trace:
            session.rollback()
            refusal.trace(session)
            session.commit()
        raise
