"""The audit trail is sealed, and personal values in it are kept under a key per contact."""

import sqlalchemy as sa
from alembic import op

from chassis.migrate import schema_create_v2

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema_create_v2(op)
    op.create_table(
        "contact_keys",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_keys")),
        sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name=op.f("ck_contact_keys_destroyed")),
    )
