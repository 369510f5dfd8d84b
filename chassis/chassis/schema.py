"""The tables the chassis keeps in every service's database: outbox, inbox, audit, organisation, access and so on."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import conventional_metadata

metadata = conventional_metadata()


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> Column[datetime]:
    return Column(
        name, DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if default else None
    )


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


# Events waiting for the broker, in daily partitions; lane 1 is for bulk work.
outbox = Table(
    "outbox",
    metadata,
    Column("day", Date, primary_key=True, server_default=func.current_date()),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    _text("type"),
    Column("lane", SmallInteger, nullable=False, server_default=text("0")),
    Column("envelope", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    _moment("created_at", default=True),
    _moment("published_at", nullable=True),
    _moment("unroutable_at", nullable=True),
    Index("ix_outbox_pending", "lane", "id", postgresql_where=text("published_at is null")),
    postgresql_partition_by="RANGE (day)",
)

# Events handled, so that none takes effect twice.
inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    _moment("handled_at", default=True),
)

# Every change: who, what, before and after, from where. Rows are only ever inserted.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _moment("at", default=True),
    Column("actor_id", Uuid),
    Column("session_id", Text),
    _text("action"),
    _text("resource"),
    _text("resource_id"),
    Column("owner_id", Uuid),
    Column("unit_id", Uuid),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("origin", Text),
    Column("trace_id", Text),
    Index("ix_audit_resource", "resource", "resource_id", "id"),
    Index("ix_audit_unit_id", "unit_id", "id"),
    Index("ix_audit_actor_id", "actor_id", "id"),
)

# Answers kept so that a repeated request is not carried out twice.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    _text("method"),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    _moment("created_at", default=True),
)

# The organisation as identity last told it: one row of state, units and their closure, people.
org_state = Table(
    "org_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("tree_version", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
org_units = Table(
    "org_units",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("parent_id", Uuid),
    _text("code"),
    _text("name"),
    _text("name_en"),
    _text("kind"),
    _text("time_zone"),
    _text("currency"),
    _text("state"),
    Index("ix_org_units_parent_id", "parent_id"),
)
org_closure = Table(
    "org_closure",
    metadata,
    Column("ancestor_id", Uuid, primary_key=True),
    Column("descendant_id", Uuid, primary_key=True),
    Column("depth", Integer, nullable=False),
    Index("ix_org_closure_descendant_id", "descendant_id", "ancestor_id"),
)
org_people = Table(
    "org_people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    _text("number"),
    _text("name"),
    _text("name_en"),
    _text("state"),
    Column("unit_id", Uuid),
    Column("unit_ids", ARRAY(Uuid), nullable=False),
)

# Access to single records granted by a share or a team: whole sets, keyed by their source.
access = Table(
    "access",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("entity_id", Uuid, primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("source_id", Uuid, primary_key=True),
    Column("writes", Boolean, nullable=False),
    _moment("expires_at", nullable=True),
    Index("ix_access_person_id", "person_id", "entity", "entity_id"),
)

# What each kind of process may do with these tables; a service's own tables follow `DOMAIN_RIGHTS`.
RIGHTS: dict[str, dict[str, str]] = {
    "api": {
        "outbox": "INSERT",
        "inbox": "",
        "audit": "SELECT, INSERT",
        "idempotency": "SELECT, INSERT, DELETE",
        "org_state": "SELECT",
        "org_units": "SELECT",
        "org_closure": "SELECT",
        "org_people": "SELECT",
        "access": "SELECT, INSERT, UPDATE, DELETE",
    },
    "worker": {
        "outbox": "INSERT",
        "inbox": "SELECT, INSERT, DELETE",
        "audit": "SELECT, INSERT",
        "idempotency": "SELECT, DELETE",
        "org_state": "SELECT, INSERT, UPDATE",
        "org_units": "SELECT, INSERT, UPDATE, DELETE",
        "org_closure": "SELECT, INSERT, UPDATE, DELETE",
        "org_people": "SELECT, INSERT, UPDATE, DELETE",
        "access": "SELECT, INSERT, UPDATE, DELETE",
    },
    "relay": {"outbox": "SELECT, UPDATE"},
}

CREATE_OUTBOX_TRIGGER = """
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY outbox; RETURN NULL; END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
"""


def day_partition(day: date) -> str:
    """The statement that makes the outbox's partition for one day."""
    name = f"outbox_{day:%Y%m%d}"
    return (
        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF outbox "
        f"FOR VALUES FROM ('{day}') TO ('{date.fromordinal(day.toordinal() + 1)}')"
    )


def unit_ids_of(row: Any) -> frozenset[UUID]:
    """The units a person's posts belong to, home unit included."""
    return frozenset(row.unit_ids) | ({row.unit_id} if row.unit_id else frozenset())
