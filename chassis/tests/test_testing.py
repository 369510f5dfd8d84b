"""The plugin itself: what tests of all services rest on."""

import os
import socket
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chassis import clock
from chassis.database import transaction
from chassis.migrate import drift
from chassis.testing import FrozenClock, ServiceDatabase, eventually
from probe.model import METADATA, ProbeNote

Database = Callable[[str], ServiceDatabase]
ID = "019324d0-0000-7000-8000-000000000001"


def test_a_database_is_empty_again_for_the_next_test(service_database: Database) -> None:
    database = service_database("probe")
    with transaction(database.engine()) as session:
        session.add(ProbeNote(id=ID, version=1, text="x"))
    started = time.monotonic()
    service_database("probe")
    assert time.monotonic() - started < 0.2
    with database.engine().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM probe_notes")) == 0


def test_each_role_has_its_own_rights(service_database: Database) -> None:
    relay = service_database("probe").engine("relay")
    with relay.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("SELECT * FROM probe_notes"))


def test_the_tables_are_what_the_code_declares(service_database: Database) -> None:
    assert drift(service_database("probe").engine("owner"), METADATA) == []


def test_drift_is_named(service_database: Database) -> None:
    database = service_database("probe")
    with database.admin() as connection:
        connection.execute("ALTER TABLE probe_notes ADD COLUMN surprise integer")
        found = drift(database.engine("owner"), METADATA)
        connection.execute("ALTER TABLE probe_notes DROP COLUMN surprise")
    assert [(what[0], what[2]) for what in found] == [("remove_column", "probe_notes")]


def test_the_clock_moves_only_when_told(frozen: FrozenClock) -> None:
    before = clock.now()
    assert frozen.advance(minutes=5) == clock.now()
    assert (clock.now() - before).total_seconds() == 300


def test_waiting_in_vain_says_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match="last answer: 0"):
        eventually(lambda: 0, timeout=0)


def test_a_database_gone_without_a_word_is_noticed(service_database: Database) -> None:
    with service_database("probe").engine("api").connect() as connection:
        asked = connection.connection.driver_connection
        assert asked is not None
        with socket.socket(fileno=os.dup(asked.fileno())) as found:
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
