"""What services say of units that are being closed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "unit_occupancies",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_unit_occupancies_unit_id_units"),
        sa.PrimaryKeyConstraint("unit_id", "service", name="pk_unit_occupancies"),
    )
