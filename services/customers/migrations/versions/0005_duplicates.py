"""Duplicates by normalised name and domain; what people were told of them; joining, merging and registering."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from customers.customer import alike

revision = "0005"
down_revision = "0004"


# What comes to a customer waits for a merge under way, and does not come to what was merged meanwhile.
_REFUSE_MERGED = """
CREATE FUNCTION refuse_merged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid = to_jsonb(NEW) ->> TG_ARGV[0];
    winner uuid;
BEGIN
    SELECT merged_into_id INTO winner FROM customers WHERE id = wanted FOR KEY SHARE;
    IF winner IS NOT NULL THEN
        RAISE EXCEPTION 'customer % was merged', wanted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_customers_not_merged';
    END IF;
    RETURN NEW;
END $$
"""
_CHILDREN = {
    "contact_places": "customer_id",
    "contact_records": "customer_id",
    "shares": "customer_id",
    "join_requests": "customer_id",
    "customers": "parent_id",
}


def upgrade() -> None:
    for function in alike.ALIKE:
        op.execute(function)
    _widen_customers()
    op.create_index(
        "ix_contacts_email_domain",
        "contacts",
        [sa.text("lower(split_part(email, '@', 2))")],
        postgresql_where=sa.text("email <> '' AND deleted_at IS NULL"),
    )
    _create_registrations()
    _create_answers()
    _create_merges()
    op.execute(_REFUSE_MERGED)
    for table, column in _CHILDREN.items():
        op.execute(
            f"CREATE TRIGGER refuse_merged BEFORE INSERT OR UPDATE OF {column} ON {table} "
            f"FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION refuse_merged('{column}')"
        )


def _widen_customers() -> None:
    op.add_column("customers", sa.Column("name_key", sa.Text(), sa.Computed("name_key(name)", persisted=True)))
    op.add_column("customers", sa.Column("web_domain", sa.Text(), sa.Computed("web_domain(website)", persisted=True)))
    op.add_column("customers", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_customers_merged_into_id"), "customers", "customers", ["merged_into_id"], ["id"])
    for column in ("name_key", "web_domain"):
        where = sa.text(f"{column} <> '' AND deleted_at IS NULL")
        op.create_index(f"ix_customers_{column}", "customers", [column, "id"], postgresql_where=where)
    merged = sa.text("merged_into_id IS NOT NULL")
    op.create_index("ix_customers_merged_into_id", "customers", ["merged_into_id"], postgresql_where=merged)


def _create_registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), sa.Computed("name_key(name)", persisted=True)),
        sa.Column("credit_code", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("protected_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["product_lines.id"], name=op.f("fk_registrations_line_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_registrations_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
    )
    standing = sa.text("released_at IS NULL AND customer_id IS NULL")
    op.create_index("ix_registrations_created_at", "registrations", ["created_at", "id"])
    op.create_index("ix_registrations_owner_id", "registrations", ["owner_id", "created_at", "id"])
    op.create_index("ix_registrations_unit_id", "registrations", ["unit_id", "created_at", "id"])
    op.create_index("ix_registrations_credit_code", "registrations", ["credit_code"], postgresql_where=standing)
    op.create_index("ix_registrations_name_key", "registrations", ["name_key"], postgresql_where=standing)
    op.create_index("ix_registrations_customer_id", "registrations", ["customer_id"])


def _create_answers() -> None:
    op.create_table(
        "duplicate_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("credit_code", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("told_unit_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_answers")),
    )
    asked = ["person_id", "day", "credit_code", "phone", "name", "division_code"]
    op.create_index("uq_duplicate_answers_asked", "duplicate_answers", asked, unique=True)
    op.create_table(
        "join_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("answer_note", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_join_requests_customer_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_join_requests_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_requests")),
        sa.CheckConstraint(
            "customer_id IS NOT NULL OR registration_id IS NOT NULL", name=op.f("ck_join_requests_target")
        ),
    )
    op.create_index("ix_join_requests_person_id", "join_requests", ["person_id", "created_at", "id"])
    op.create_index("ix_join_requests_customer_id", "join_requests", ["customer_id", "created_at", "id"])
    op.create_index("ix_join_requests_registration_id", "join_requests", ["registration_id"])
    op.create_index("ix_join_requests_created_at", "join_requests", ["created_at", "id"])


def _create_merges() -> None:
    op.create_table(
        "merges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("winner_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["winner_id"], ["customers.id"], name=op.f("fk_merges_winner_id")),
        sa.ForeignKeyConstraint(["loser_id"], ["customers.id"], name=op.f("fk_merges_loser_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    undone = sa.text("undone_at IS NULL")
    op.create_index("uq_merges_loser_id", "merges", ["loser_id"], unique=True, postgresql_where=undone)
