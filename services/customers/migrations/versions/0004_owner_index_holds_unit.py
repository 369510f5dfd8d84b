"""A salesperson's list is answered by its index alone: it holds the unit too."""

from alembic import op

revision = "0004"
down_revision = "0003"

KEYS = ("created_at", "last_contact_at", "sort_name")


def upgrade() -> None:
    for key in KEYS:
        name = f"ix_assignments_owner_id_{key}"
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_narrow")
        op.execute(
            f"CREATE INDEX {name} ON assignments (owner_id, {key}, customer_id) INCLUDE (unit_id) "
            "WHERE deleted_at IS NULL"
        )
        op.execute(f"DROP INDEX {name}_narrow")
