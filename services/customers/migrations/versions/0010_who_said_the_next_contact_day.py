"""What says a customer's next contact day is kept, so that what stood before comes back."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("customers", sa.Column("displaced_contact_on", sa.Date(), nullable=True))
    op.add_column("customers", sa.Column("displaced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact_records", sa.Column("said_at", sa.DateTime(timezone=True), nullable=True))
