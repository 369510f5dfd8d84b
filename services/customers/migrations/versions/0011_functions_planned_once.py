"""What customers are alike by and found by is planned once a connection; as SQL it was for every row's statement."""

from alembic import op

from customers.customer import alike

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for function in (*alike.ALIKE, *alike.FOUND):
        op.execute(function)
