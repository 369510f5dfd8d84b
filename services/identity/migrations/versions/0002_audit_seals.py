"""The audit trail is sealed."""

from alembic import op

from chassis.migrate import schema_create_v2

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema_create_v2(op)
