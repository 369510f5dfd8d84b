"""A refusal undoes the call's work and keeps its trace, and nothing but that."""

from collections.abc import Callable

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from chassis import schema
from chassis.database import tracing_refusals
from chassis.errors import DomainError, refuse
from chassis.ids import new_id
from chassis.testing import ServiceDatabase

Database = Callable[[str], ServiceDatabase]


def note(session: Session, key: str) -> None:
    row = {"caller_id": new_id(), "key": key, "method": "", "request_hash": b"", "response": b""}
    session.execute(insert(schema.idempotency).values(row))


def kept(database: ServiceDatabase) -> list[str]:
    with database.engine("worker").connect() as connection:
        return list(connection.scalars(text("SELECT key FROM idempotency ORDER BY key")))


def refused(database: ServiceDatabase, refusal: DomainError) -> str:
    """The reason that a call ends in which works, and is then refused."""
    with pytest.raises(DomainError) as found:
        call(database, refusal)
    return found.value.reason


def call(database: ServiceDatabase, refusal: DomainError) -> None:
    with Session(database.engine("api")) as session, tracing_refusals(session):
        note(session, "work")
        raise refusal


def test_a_refusal_leaves_nothing(service_database: Database) -> None:
    database = service_database("probe")
    assert refused(database, refuse("NOT_FOUND")) == "NOT_FOUND"
    assert kept(database) == []


def test_a_trace_is_kept_and_the_work_is_not(service_database: Database) -> None:
    database, refusal = service_database("probe"), refuse("NOT_FOUND")
    refusal.trace = lambda session: note(session, "trace")
    assert refused(database, refusal) == "NOT_FOUND"
    assert kept(database) == ["trace"]


def test_a_trace_that_is_refused_keeps_nothing_and_answers_instead(service_database: Database) -> None:
    database, refusal = service_database("probe"), refuse("NOT_FOUND")

    def full(session: Session) -> None:
        note(session, "trace")
        raise refuse("STORE_UNAVAILABLE")

    refusal.trace = full
    assert refused(database, refusal) == "STORE_UNAVAILABLE"
    assert kept(database) == []
