"""Long work: the chassis's tables of jobs and of imported rows."""

from alembic import op

from chassis.migrate import schema_create_v3

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema_create_v3(op)
