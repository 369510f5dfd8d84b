"""The chassis's tables and the probe's own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrate import schema_create_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema_create_v1(op)
    op.create_table(
        "probe_customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("assignments", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_probe_customers"),
    )
    op.create_table(
        "probe_contact_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("contact_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_probe_contact_records"),
    )
    op.create_index("ix_probe_contact_records_customer_id", "probe_contact_records", ["customer_id"])
    op.create_table(
        "probe_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("handled", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_probe_notes"),
    )
