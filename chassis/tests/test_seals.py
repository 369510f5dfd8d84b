"""The chain of seals: its bytes, what comes into it, and who may touch it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import insert, inspect, select, text

from chassis import personal, seals
from chassis.audit_schema import audit
from chassis.ids import new_id
from chassis.migrate import schema_create_v2
from chassis.seals import COLUMNS, Seal
from probe.trails import Trail, row

GOLDEN = json.loads((Path(__file__).parent / "golden" / "audit.json").read_text())
TABLES = ("audit", "audit_seals", "audit_anchors")


def test_the_bytes_a_row_and_a_seal_are_hashed_from() -> None:
    hashed = seals.row_hash(GOLDEN["texts"])
    assert hashed.hex() == GOLDEN["row_hash"]
    moment = datetime(2026, 11, 24, 8, 30, 0, 123456, UTC)
    assert Seal(7, 1, bytes(range(32)), [41], hashed, moment).hash.hex() == GOLDEN["seal_hash"]


def test_a_personal_value_kept_by_any_release_is_opened() -> None:
    bound = "019324d0-0000-7000-8000-0000000000c1/mobile"
    assert personal.opened(bytes(range(32)), GOLDEN["personal"], bound_to=bound) == "+8613812345678"
    assert personal.opened(bytes(range(32)), GOLDEN["personal"], bound_to=bound.replace("mobile", "phone")) is None


def test_every_column_of_a_row_is_in_its_hash() -> None:
    assert {column.name for column in audit.columns} == set(COLUMNS)
    known = seals.row_hash(GOLDEN["texts"])
    for place in range(len(COLUMNS)):
        changed = list(GOLDEN["texts"])
        changed[place] = "" if changed[place] is None else None
        assert seals.row_hash(changed) != known


def test_what_is_written_is_sealed_once(trail: Trail) -> None:
    ids = trail.write(3)
    assert seals.seal(trail.relay, limit=2)
    assert not seals.seal(trail.relay, limit=2)
    assert not seals.seal(trail.relay)
    chain = trail.attacker.execute("SELECT seq, audit_ids FROM audit_seals ORDER BY seq").fetchall()
    assert chain == [(1, ids[:2]), (2, ids[2:])]


def test_a_row_that_is_kept_late_is_sealed_after_younger_ones(trail: Trail) -> None:
    with trail.database.engine("worker").begin() as slow:
        late = slow.scalar(insert(audit).values(row()).returning(audit.c.id))
        younger = trail.write()
        seals.seal(trail.relay)
    seals.seal(trail.relay)
    assert younger[0] > late
    chain = trail.attacker.execute("SELECT audit_ids FROM audit_seals ORDER BY seq").fetchall()
    assert chain == [(younger,), ([late],)]
    assert trail.verify() == []


def test_what_was_not_kept_leaves_nothing_to_seal(trail: Trail) -> None:
    with trail.database.engine("api").connect() as connection:
        connection.execute(insert(audit).values(row()))
        connection.rollback()
    seals.seal(trail.relay)
    assert trail.heads() == []


@pytest.mark.parametrize("kind", ["api", "worker", "relay"])
@pytest.mark.parametrize("table", TABLES)
def test_no_process_may_change_or_remove_what_was_recorded(trail: Trail, kind: str, table: str) -> None:
    trail.write_sealed(1)
    url = trail.database.url(kind).replace("+psycopg", "")
    column = {"audit": "action = 'x'", "audit_seals": "hash = ''", "audit_anchors": "hash = ''"}[table]
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize("kind", ["api", "worker"])
def test_only_the_relay_seals(trail: Trail, kind: str) -> None:
    trail.write()
    url = trail.database.url(kind).replace("+psycopg", "")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        seals.seal(connection)


def test_a_trail_of_the_first_release_is_widened_and_waits_to_be_sealed(trail: Trail) -> None:
    with trail.database.engine("owner").connect() as connection:
        connection.execute(text(FIRST_RELEASE))
        unit_id = new_id()
        old = {"action": "x", "resource": "note", "resource_id": "1", "unit_id": unit_id}
        id_ = connection.scalar(insert(audit).values(old).returning(audit.c.id))
        schema_create_v2(Operations(MigrationContext.configure(connection)))
        widened = connection.execute(select(audit.c.unit_ids, audit.c.owner_ids).where(audit.c.id == id_)).one()
        connection.execute(insert(audit).values(row()))
        waiting = connection.scalar(text("SELECT count(*) FROM audit_unsealed"))
        indexes = {found["name"] for found in inspect(connection).get_indexes("audit")}
        connection.rollback()
    assert (list(widened), waiting) == ([[unit_id], [None]], 2)
    assert indexes == {index.name for index in audit.indexes}


FIRST_RELEASE = """
DROP TABLE audit_unsealed, audit_seals, audit_anchors;
DROP TRIGGER audit_unsealed ON audit;
ALTER TABLE audit DROP COLUMN post_ids, DROP COLUMN owner_ids, DROP COLUMN unit_ids;
DROP INDEX ix_audit_at, ix_audit_actor_id_at, ix_audit_action_at, ix_audit_resource_at, ix_audit_resource_id_at;
CREATE INDEX ix_audit_resource ON audit (resource, resource_id, id);
CREATE INDEX ix_audit_unit_id ON audit (unit_id, id);
CREATE INDEX ix_audit_actor_id ON audit (actor_id, id);
"""
