"""Versions of the organisation's tree that come before their turn are kept."""

from alembic import op

from chassis.migrate import schema_create_v4

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    schema_create_v4(op)
