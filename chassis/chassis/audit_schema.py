"""The audit trail's tables: rows, what of them is not sealed yet, the chain of seals, and heads of others' chains.

Nobody may change or delete a row, a seal or an anchor. Seals stand beside the rows, since ids are not in order of
commit: a trigger notes every new row as unsealed, in its own transaction, and sealing takes the note away.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.schema import metadata, moment, text_column

# Every change: who, in which posts, what, before and after, where the record lay then, from where.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    moment("at", default=True),
    Column("actor_id", Uuid),
    Column("session_id", Text),
    text_column("action"),
    text_column("resource"),
    text_column("resource_id"),
    # Of the release before, which knew one place a row.
    Column("owner_id", Uuid),
    Column("unit_id", Uuid),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("origin", Text),
    Column("trace_id", Text),
    Column("post_ids", ARRAY(Uuid)),
    # The record's places: the n-th owner (none where nobody owns it) in the n-th unit.
    Column("owner_ids", ARRAY(Uuid)),
    Column("unit_ids", ARRAY(Uuid)),
    Index("ix_audit_at", "at", "id"),
    Index("ix_audit_actor_id_at", "actor_id", "at", "id"),
    Index("ix_audit_action_at", "action", "at", "id"),
    Index("ix_audit_resource_at", "resource", "at", "id"),
    Index("ix_audit_resource_id_at", "resource_id", "resource", "at", "id"),
    Index("ix_audit_places", "unit_ids", "owner_ids", postgresql_using="gin"),
)

audit_unsealed = Table("audit_unsealed", metadata, Column("id", BigInteger, primary_key=True, autoincrement=False))

# The chain: each seal holds the ids and hashes of its rows, and the hash of the seal before. See `chassis.seals`.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("version", SmallInteger, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("audit_ids", ARRAY(BigInteger), nullable=False),
    Column("row_hashes", LargeBinary, nullable=False),
    moment("sealed_at"),
    Column("hash", LargeBinary, nullable=False),
)

# Heads of other services' chains, as they told them: what they can no longer take back.
audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("service", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    moment("sealed_at"),
    moment("kept_at", default=True),
)

# What `metadata.create_all` leaves out, safe to repeat. The trigger works with its owner's rights: who writes the trail
# may not touch the notes.
NOTE_UNSEALED = """
CREATE OR REPLACE FUNCTION note_unsealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_unsealed (id) SELECT id FROM written;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_unsealed() FROM PUBLIC;
CREATE OR REPLACE TRIGGER audit_unsealed AFTER INSERT ON audit REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION note_unsealed();
"""

# From the first release's table to this one's; nothing where `create_all` has just made it.
WIDEN = """
ALTER TABLE audit ADD COLUMN IF NOT EXISTS post_ids uuid[];
ALTER TABLE audit ADD COLUMN IF NOT EXISTS owner_ids uuid[];
ALTER TABLE audit ADD COLUMN IF NOT EXISTS unit_ids uuid[];
UPDATE audit SET owner_ids = ARRAY[owner_id], unit_ids = ARRAY[unit_id] WHERE unit_ids IS NULL AND unit_id IS NOT NULL;
INSERT INTO audit_unsealed SELECT id FROM audit ON CONFLICT DO NOTHING;
DROP INDEX IF EXISTS ix_audit_resource, ix_audit_unit_id, ix_audit_actor_id;
"""
