"""Databases for tests: real ones, migrated once a run, and put back as they were for each test."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from chassis import migrate
from chassis.database import connect
from chassis.rights import RIGHTS
from chassis.service import declared

KINDS = ("owner", *RIGHTS)
TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
AND relname <> 'alembic_version' AND NOT relispartition ORDER BY relname
"""


@dataclass
class ServiceDatabase:
    """A service's database. `url(kind)` and `engine(kind)` sign in as owner, api, worker or relay."""

    service: str
    name: str
    admin_url: str
    passwords: dict[str, str]
    tables: list[str] = field(default_factory=list)
    seeded: list[str] = field(default_factory=list)
    _engines: dict[str, Engine] = field(default_factory=dict)
    _keeper: psycopg.Connection | None = None

    def role(self, kind: str) -> str:
        return f"{self.name}_{kind}"

    def url(self, kind: str = "api") -> str:
        parts = urlsplit(self.admin_url)
        server = f"{parts.hostname}:{parts.port or 5432}"
        return f"postgresql+psycopg://{self.role(kind)}:{self.passwords[kind]}@{server}/{self.name}"

    def engine(self, kind: str = "api") -> Engine:
        """An engine with the rights of one kind of process; it is closed at the end of the run."""
        if kind not in self._engines:
            self._engines[kind] = connect(self.url(kind), name=f"test-{kind}", pool_size=10)
        return self._engines[kind]

    def admin(self) -> psycopg.Connection:
        """A superuser's connection to this database, for what no process may do."""
        return psycopg.connect(self.admin_url, dbname=self.name, autocommit=True)

    def clear(self) -> None:
        """Put every table that holds rows back to what the migrations left in it."""
        if self._keeper is None:
            self._keeper = self.admin()
        with self._keeper.transaction():
            self._keeper.execute("SET LOCAL session_replication_role = replica")
            self._keeper.execute("SET LOCAL lock_timeout = '5s'")
            for table in map(sql.Identifier, self._filled(self._keeper)):
                self._keeper.execute(sql.SQL("DELETE FROM {}").format(table))
            for table in map(sql.Identifier, self.seeded):
                statement = "INSERT INTO public.{} OVERRIDING SYSTEM VALUE SELECT * FROM seeded.{}"
                self._keeper.execute(sql.SQL(statement).format(table, table))

    def _filled(self, connection: psycopg.Connection) -> list[str]:
        """The tables that hold rows: after a test, few do."""
        asked = "SELECT {} WHERE EXISTS (SELECT FROM {})"
        parts = [sql.SQL(asked).format(sql.Literal(name), sql.Identifier(name)) for name in self.tables]
        return [row[0] for row in connection.execute(sql.SQL(" UNION ALL ").join(parts))]

    def remember_seeds(self) -> None:
        """Note which tables there are, and what the migrations put into them."""
        with self.admin() as connection:
            self.tables = [row[0] for row in connection.execute(TABLES)]
            connection.execute("CREATE SCHEMA seeded")
            self.seeded = self._filled(connection)
            for table in map(sql.Identifier, self.seeded):
                connection.execute(sql.SQL("CREATE TABLE seeded.{} AS TABLE public.{}").format(table, table))

    def dispose(self) -> None:
        """Close every connection; new ones are made when needed."""
        for engine in self._engines.values():
            engine.dispose()
        if self._keeper:
            self._keeper.close()
            self._keeper = None


class Databases:
    """The databases of one run."""

    def __init__(self, admin_url: str, *, slot: str) -> None:
        self._admin_url = admin_url
        self._slot = slot
        self._made: dict[str, ServiceDatabase] = {}

    def get(self, service: str) -> ServiceDatabase:
        """The service's database with whatever is in it, for fixtures that outlive a test."""
        if service not in self._made:
            self._made[service] = self._make(service)
        return self._made[service]

    def bare(self, service: str) -> ServiceDatabase:
        """The service's database with its roles, before any migration."""
        database = ServiceDatabase(
            service=service,
            name=f"test_{service}_{self._slot}",
            admin_url=self._admin_url,
            passwords={kind: secrets.token_urlsafe(16) for kind in KINDS},
        )
        _create(database)
        return database

    def fresh(self, service: str) -> ServiceDatabase:
        """The service's database as it was just after migration."""
        made = service in self._made
        database = self.get(service)
        if made:
            database.clear()
        return database

    def close(self) -> None:
        for database in self._made.values():
            database.dispose()

    def _make(self, service: str) -> ServiceDatabase:
        database = self.bare(service)
        declaration = declared(service)
        migrate.upgrade(database.url("owner"), declaration.migrations, rights=declaration.rights)
        database.remember_seeds()
        return database


def _create(database: ServiceDatabase) -> None:
    """A database as production has it: its own roles, and nobody else may connect."""
    name, owner = sql.Identifier(database.name), sql.Identifier(database.role("owner"))
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        for kind, password in database.passwords.items():
            _create_role(connection, database.role(kind), password)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        locale = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} " + locale).format(name, owner))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        roles = sql.SQL(", ").join(sql.Identifier(database.role(kind)) for kind in KINDS)
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))


def _create_role(connection: psycopg.Connection, role: str, password: str) -> None:
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None
    verb = "ALTER" if exists else "CREATE"
    statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
