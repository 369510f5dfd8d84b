"""A customer of several units counts once in what lies above them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("customers_again", "uncontacted_again"):
        op.add_column("unit_figures", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
