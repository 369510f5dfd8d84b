"""The chassis's tables; units, roles, posts, tenures, employees; sessions and Keycloak's state; the first roles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.migrate import schema_create_v1
from identity.role.seeds import FIRST

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema_create_v1(op)
    # For exclusion constraints over ids and days: nobody holds the same post twice on one day.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "begun_days",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_begun_days")),
    )
    op.create_table(
        "drifts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("difference", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    op.create_index("ix_drifts_found_at", "drifts", ["found_at", "id"], unique=False)
    op.create_index(
        "uq_drifts_open",
        "drifts",
        ["subject", "subject_id", "difference"],
        unique=True,
        postgresql_where=sa.text("repaired_at IS NULL"),
    )
    op.create_table(
        "group_links",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_group_links")),
    )
    op.create_table(
        "keycloak_waiting",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "subject_id", name=op.f("pk_keycloak_waiting")),
    )
    op.create_table(
        "revocations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rights_only", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
    )
    op.create_index("ix_revocations_person_id", "revocations", ["person_id", "revoked_at"], unique=False)
    op.create_index("ix_revocations_revoked_at", "revocations", ["revoked_at", "id"], unique=False)
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("permissions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("grantable_permissions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("field_rights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("code", name=op.f("uq_roles_code")),
    )
    op.create_table(
        "units",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("head_post_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("tree_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(parent_id IS NULL) = (kind = 1)", name=op.f("ck_units_company")),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_units_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", name=op.f("uq_units_code")),
    )
    op.create_index(op.f("ix_units_parent_id"), "units", ["parent_id"], unique=False)
    op.create_index("uq_units_company", "units", ["kind"], unique=True, postgresql_where=sa.text("parent_id IS NULL"))
    op.create_table(
        "employees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("hire_on", sa.Date(), nullable=False),
        sa.Column("leave_on", sa.Date(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("told_version", sa.Integer(), nullable=False),
        sa.Column("keycloak_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_employees_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employees")),
        sa.UniqueConstraint("keycloak_id", name=op.f("uq_employees_keycloak_id")),
        sa.UniqueConstraint("number", name=op.f("uq_employees_number")),
        sa.UniqueConstraint("username", name=op.f("uq_employees_username")),
    )
    op.create_index(
        "ix_employees_leave_on",
        "employees",
        ["leave_on"],
        unique=False,
        postgresql_where=sa.text("leave_on IS NOT NULL"),
    )
    op.create_index(op.f("ix_employees_unit_id"), "employees", ["unit_id"], unique=False)
    op.create_index("uq_employees_email", "employees", ["email"], unique=True, postgresql_where=sa.text("email <> ''"))
    op.create_table(
        "posts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("governed_unit_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("superior_post_id", sa.Uuid(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("end_on >= start_on", name=op.f("ck_posts_days")),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_posts_role_id")),
        sa.ForeignKeyConstraint(["superior_post_id"], ["posts.id"], name=op.f("fk_posts_superior_post_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_posts_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("code", name=op.f("uq_posts_code")),
    )
    op.create_index(op.f("ix_posts_role_id"), "posts", ["role_id"], unique=False)
    op.create_index(op.f("ix_posts_superior_post_id"), "posts", ["superior_post_id"], unique=False)
    op.create_index(op.f("ix_posts_unit_id"), "posts", ["unit_id"], unique=False)
    op.create_table(
        "unit_parents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.CheckConstraint("end_on >= start_on", name=op.f("ck_unit_parents_days")),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_unit_parents_parent_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_parents_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_parents")),
    )
    op.create_index("ix_unit_parents_parent_id", "unit_parents", ["parent_id"], unique=False)
    op.create_index("uq_unit_parents_unit_id_start_on", "unit_parents", ["unit_id", "start_on"], unique=True)
    op.create_table(
        "post_units",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_post_units_post_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_post_units_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_units")),
    )
    op.create_index(op.f("ix_post_units_post_id"), "post_units", ["post_id"], unique=False)
    op.create_index(op.f("ix_post_units_unit_id"), "post_units", ["unit_id"], unique=False)
    op.create_table(
        "tenures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("employee_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("employee_id"), "="),
            (sa.column("post_id"), "="),
            (sa.text("daterange(start_on, end_on + 1, '[)')"), "&&"),
            using="gist",
            name="ex_tenures_post",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("employee_id"), "="),
            (sa.text("daterange(start_on, end_on + 1, '[)')"), "&&"),
            where=sa.text("main"),
            using="gist",
            name="ex_tenures_main",
        ),
        sa.CheckConstraint("end_on >= start_on - 1", name=op.f("ck_tenures_days")),
        sa.ForeignKeyConstraint(["employee_id"], ["employees.id"], name=op.f("fk_tenures_employee_id")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_tenures_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenures")),
    )
    op.create_index(op.f("ix_tenures_post_id"), "tenures", ["post_id"], unique=False)
    op.create_index("ix_tenures_start_on", "tenures", ["start_on", "id"], unique=False)
    roles = sa.table(
        "roles",
        *(sa.column(name) for name in ("id", "code", "name", "name_en", "level", "built_in", "version")),
        sa.column("permissions", sa.ARRAY(sa.Text())),
        sa.column("grantable_permissions", sa.ARRAY(sa.Text())),
        sa.column("field_rights", postgresql.JSONB()),
        *(sa.column(name) for name in ("created_at", "updated_at")),
    )
    stamps = {"version": 1, "created_at": sa.func.now(), "updated_at": sa.func.now()}
    for role in FIRST:
        op.execute(roles.insert().values(**role, **stamps))
