"""What the relay's leader keeps in order, with the relay's few rights."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import psycopg
import pytest

from chassis import clock, duties
from chassis.database import transaction
from chassis.testing import ServiceDatabase
from probe import notes

Database = Callable[[str], ServiceDatabase]


@pytest.fixture
def database(service_database: Database) -> ServiceDatabase:
    return service_database("probe")


@pytest.fixture
def relay(database: ServiceDatabase) -> Iterator[psycopg.Connection]:
    url = database.url("relay").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


def partitions(database: ServiceDatabase) -> set[str]:
    with database.admin() as connection:
        found = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox'::regclass"
        )
        return {row[0] for row in found}


def days_ago(days: int) -> date:
    return clock.today("UTC") - timedelta(days=days)


def add_partition(database: ServiceDatabase, day: date) -> str:
    name = f"outbox_{day:%Y%m%d}"
    with database.admin() as connection:
        bounds = f"FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        connection.execute(f"CREATE TABLE {name} PARTITION OF outbox FOR VALUES {bounds}")
        connection.execute(f"ALTER TABLE {name} OWNER TO {database.role('owner')}")
    return name


def add_event(database: ServiceDatabase, day: date, *, published: bool) -> None:
    with database.admin() as connection:
        connection.execute(
            "INSERT INTO outbox (day, event_id, type, envelope, headers, published_at) "
            "VALUES (%s, gen_random_uuid(), 'x', '', '{}', CASE WHEN %s THEN now() END)",
            (day, published),
        )


def test_the_next_days_have_partitions(database: ServiceDatabase, relay: psycopg.Connection) -> None:
    with database.admin() as connection:
        connection.execute(f"DROP TABLE outbox_{days_ago(-3):%Y%m%d}")
    duties.keep_partitions(relay)
    assert {f"outbox_{days_ago(-n):%Y%m%d}" for n in range(4)} <= partitions(database)


def test_an_old_published_partition_goes(database: ServiceDatabase, relay: psycopg.Connection) -> None:
    name = add_partition(database, days_ago(8))
    add_event(database, days_ago(8), published=True)
    duties.keep_partitions(relay)
    assert name not in partitions(database)


def test_an_old_partition_in_which_an_event_waits_stays(database: ServiceDatabase, relay: psycopg.Connection) -> None:
    name = add_partition(database, days_ago(9))
    add_event(database, days_ago(9), published=False)
    duties.keep_partitions(relay)
    assert name in partitions(database)
    database.clear()
    duties.keep_partitions(relay)
    assert name not in partitions(database)


def test_a_day_that_began_without_a_partition_stays_in_the_default_one(
    database: ServiceDatabase, relay: psycopg.Connection
) -> None:
    with database.admin() as connection:
        connection.execute(f"DROP TABLE outbox_{days_ago(0):%Y%m%d}")
    with transaction(database.engine("api")) as session:
        notes.write(session, "hello")
    duties.keep_partitions(relay)
    assert f"outbox_{days_ago(0):%Y%m%d}" not in partitions(database)
    database.clear()
    duties.keep_partitions(relay)
    assert f"outbox_{days_ago(0):%Y%m%d}" in partitions(database)
