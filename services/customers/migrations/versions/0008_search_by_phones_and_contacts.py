"""Customers are found by the ends of phones and by their contacts' names."""

from alembic import op

from customers.customer import alike

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for function in alike.FOUND:
        op.execute(function)
    for table, name, key in (
        ("customers", "phone_ends", "phone_ends(phones)"),
        ("contacts", "bigrams", "bigrams((name || ' ') || name_en)"),
    ):
        op.execute(f"CREATE INDEX ix_{table}_{name} ON {table} USING gin ({key}) WITH (fastupdate = off)")
    # Where entries wait in a list, each lookup of a phone reads all of it.
    op.execute("ALTER INDEX ix_customers_phones SET (fastupdate = off)")
