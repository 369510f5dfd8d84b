"""Migrations: a service's Alembic tree, then the rights of each kind of process; and drift of tables from code."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, MetaData, text

from chassis import audit_schema, schema
from chassis.database import connect
from chassis.rights import DOMAIN_RIGHTS, RIGHTS
from chassis.service import ServiceProcesses
from chassis.settings import ProcessSettings

log = logging.getLogger(__name__)

OWNER = "_owner"
LOCK = "SELECT pg_advisory_lock(hashtext('migrate'))"
OWN_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"


class MigrationRefusedError(Exception):
    """The database is not prepared for this migration; the text says what is missing."""


def upgrade(url: str, folder: Path, *, rights: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Bring a database to the newest version of its Alembic tree and grant each role what its processes need.

    Signs in as `<prefix>_owner` and grants to `<prefix>_api`, `_jobs`, `_worker` and `_relay`, which must exist.
    Two at once are safe: the second waits.
    """
    engine = connect(url, name="migrate", pool_size=2, statement_timeout_ms=0)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
            guard.execute(text("SET lock_timeout = 0"))
            guard.execute(text(LOCK))
            roles = _roles(guard)
            _run(engine, folder)
            with engine.begin() as connection:
                _grant(connection, roles, rights or {})
    finally:
        engine.dispose()


def run_process(service: ServiceProcesses, settings: ProcessSettings, _arguments: Sequence[str]) -> int:
    """The process `migrate`: 0, or 1 with the reason where the database is not prepared."""
    try:
        upgrade(settings.database_url.get_secret_value(), service.migrations, rights=service.rights)
    except MigrationRefusedError as refused:
        log.error("migration refused: %s", refused)
        return 1
    log.info("migrated")
    return 0


def run() -> None:
    """What a service's `env.py` calls: each migration in a transaction of its own."""
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def schema_create_v1(op: Operations) -> None:
    """Create the chassis's tables, in a service's first migration."""
    schema.metadata.create_all(op.get_bind())
    op.execute(schema.CREATE_OUTBOX_PARTS)


def schema_create_v2(op: Operations) -> None:
    """Widen the audit trail by the places of records, its chain of seals and others' anchors."""
    added = (audit_schema.audit_unsealed, audit_schema.audit_seals, audit_schema.audit_anchors)
    schema.metadata.create_all(op.get_bind(), tables=added)
    op.execute(audit_schema.WIDEN)
    for index in audit_schema.audit.indexes:
        index.create(op.get_bind(), checkfirst=True)
    op.execute(audit_schema.NOTE_UNSEALED)


def schema_create_v3(op: Operations) -> None:
    """Create the tables of long work, where the first migration, made by a later release, has not done so already."""
    schema.metadata.create_all(op.get_bind(), tables=[schema.jobs, schema.job_rows], checkfirst=True)


def schema_create_v4(op: Operations) -> None:
    """Create the table of versions of the tree that come early, where the first migration has not done so already."""
    schema.metadata.create_all(op.get_bind(), tables=[schema.org_early], checkfirst=True)


def drift(engine: Engine, metadatas: Sequence[MetaData]) -> list[Any]:
    """How the tables differ from what the code declares, in Alembic's terms; nothing when they agree."""
    with engine.connect() as connection:
        partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))

        def include(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return not (kind == "table" and name in partitions)

        options = {"include_object": include, "compare_type": True}
        migrations = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(migrations, [schema.metadata, *metadatas]))  # type: ignore[arg-type]


def _run(engine: Engine, folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _roles(connection: Connection) -> dict[str, str]:
    """Process kind to role; refuses where the migrating role is misnamed or one of the others is missing."""
    owner = str(connection.scalar(text("SELECT current_user")))
    if not owner.endswith(OWNER):
        raise MigrationRefusedError(f"migrations sign in as a role named …{OWNER}, not as {owner}")
    roles = {kind: f"{owner.removesuffix(OWNER)}_{kind}" for kind in RIGHTS}
    known = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    missing = sorted(set(roles.values()) - known)
    if missing:
        raise MigrationRefusedError(f"create these roles first: {', '.join(missing)}")
    return roles


def _grant(connection: Connection, roles: Mapping[str, str], extra: Mapping[str, Mapping[str, str]]) -> None:
    """Take every right away and give the right ones: what a role lost between two releases is gone."""
    ordinary = set(connection.scalars(text(f"{OWN_TABLES} AND NOT relispartition")))
    own = sorted(ordinary - set(schema.metadata.tables) - {"alembic_version"})
    for kind, role in roles.items():
        connection.execute(text(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"'))
        granted = {**dict.fromkeys(own, DOMAIN_RIGHTS.get(kind, "")), **RIGHTS[kind]}
        for table, privileges in [*granted.items(), *extra.get(kind, {}).items()]:
            if privileges:
                connection.execute(text(f'GRANT {privileges} ON "{table}" TO "{role}"'))
        if kind in DOMAIN_RIGHTS:
            connection.execute(text(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"'))
    connection.execute(text(f"REVOKE ALL ON FUNCTION {schema.KEEP_OUTBOX} FROM PUBLIC"))
    connection.execute(text(f'GRANT EXECUTE ON FUNCTION {schema.KEEP_OUTBOX} TO "{roles["relay"]}"'))
