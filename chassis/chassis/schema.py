"""The tables the chassis keeps in every service's database; those of the audit trail are in `audit_schema`."""

from datetime import datetime
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


def moment(name: str, *, nullable: bool = False, default: bool = False) -> Column[datetime]:
    return Column(
        name, DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if default else None
    )


def text_column(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


# Events waiting for the broker, in daily partitions; lane 1 is for bulk work.
outbox = Table(
    "outbox",
    metadata,
    Column("day", Date, primary_key=True, server_default=func.current_date()),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    text_column("type"),
    Column("lane", SmallInteger, nullable=False, server_default=text("0")),
    Column("envelope", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    moment("created_at", default=True),
    moment("published_at", nullable=True),
    moment("unroutable_at", nullable=True),
    Index("ix_outbox_waiting", "lane", "id", postgresql_where=text("published_at IS NULL AND unroutable_at IS NULL")),
    Index("ix_outbox_unroutable", "unroutable_at", postgresql_where=text("published_at IS NULL")),
    postgresql_partition_by="RANGE (day)",
    implicit_returning=False,  # who writes events may not read them
)

# Events handled, so that none takes effect twice.
inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    moment("handled_at", default=True),
    Index("ix_inbox_handled_at", "handled_at", postgresql_using="brin"),
)

# Answers kept so that a repeated request is not carried out twice.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    text_column("method"),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    moment("created_at", default=True),
)

# The organisation as identity last told it: one row of state, units and their closure, people.
org_state = Table(
    "org_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("tree_version", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
# Versions of the tree that came before their turn, as they were told.
org_early = Table(
    "org_early",
    metadata,
    Column("tree_version", Integer, primary_key=True, autoincrement=False),
    Column("told", LargeBinary, nullable=False),
    moment("kept_at", default=True),
)
org_units = Table(
    "org_units",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("parent_id", Uuid),
    text_column("code"),
    text_column("name"),
    text_column("name_en"),
    text_column("kind"),
    text_column("time_zone"),
    text_column("currency"),
    text_column("state"),
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
    text_column("number"),
    text_column("name"),
    text_column("name_en"),
    text_column("state"),
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
    moment("expires_at", nullable=True),
    Index("ix_access_person_id", "person_id", "entity", "entity_id"),
)

# Long work: who wanted it, how far it has come, when it is to go on. The lock on its row is the claim to it.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    text_column("kind"),
    text_column("state"),
    Column("person_id", Uuid, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("cursor", JSONB, nullable=False),
    Column("progress", JSONB, nullable=False),
    text_column("reason"),
    Column("attempts", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    moment("due_at"),
    moment("created_at"),
    moment("updated_at"),
    moment("finished_at", nullable=True),
    Index("ix_jobs_due_at", "due_at", postgresql_where=text("state = 'ACTIVE'")),
    Index("ix_jobs_person_id", "person_id", "created_at", "id"),
)

# The rows of imported files, as they came, and what became of each.
job_rows = Table(
    "job_rows",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("cells", ARRAY(Text), nullable=False),
    Column("outcome", SmallInteger, nullable=False, server_default=text("0")),
    Column("errors", JSONB, nullable=False, server_default=text("'[]'")),
    Column("resource_id", Uuid),
    Index("ix_job_rows_outcome", "job_id", "outcome", "number"),
)

KEEP_OUTBOX = "keep_outbox(integer, integer)"

# keep_outbox makes the partitions of today and the next days and drops those older than `kept` days in which no event
# waits. It runs with its owner's rights: the relay calls it and may change no table. Rows that came while a day had no
# partition lie in the default one, which then holds that day for good.
CREATE_OUTBOX_PARTS = """
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY outbox; RETURN NULL; END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE FUNCTION keep_outbox(ahead integer, kept integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    wanted date;
    old name;
    waiting boolean;
BEGIN
    FOR wanted IN SELECT current_date + n FROM generate_series(0, ahead) AS n LOOP
        CONTINUE WHEN to_regclass('outbox_' || to_char(wanted, 'YYYYMMDD')) IS NOT NULL;
        CONTINUE WHEN EXISTS (SELECT FROM outbox_default WHERE day = wanted);
        EXECUTE format('CREATE TABLE %I PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
            'outbox_' || to_char(wanted, 'YYYYMMDD'), wanted, wanted + 1);
    END LOOP;
    FOR old IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
        AND to_date(right(relname, 8), 'YYYYMMDD') < current_date - kept
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE published_at IS NULL AND unroutable_at IS NULL)', old)
        INTO waiting;
        IF NOT waiting THEN
            EXECUTE format('DROP TABLE %I', old);
        END IF;
    END LOOP;
    DELETE FROM outbox_default
    WHERE day < current_date - kept AND (published_at IS NOT NULL OR unroutable_at IS NOT NULL);
END $$;
SELECT keep_outbox(3, 7);
"""


def unit_ids_of(row: Any) -> frozenset[UUID]:
    """The units a person's posts belong to, home unit included."""
    return frozenset(row.unit_ids) | ({row.unit_id} if row.unit_id else frozenset())
