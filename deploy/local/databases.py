"""Databases and their roles: each service owns one, and nobody else may connect to it."""

from collections.abc import Mapping
from urllib.parse import quote

import psycopg
from psycopg import sql

from deploy.local.instance import Instance
from deploy.local.parts import keycloak, postgres
from deploy.local.topology import Service

CREATE = (
    "CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
)


def url(instance: Instance, service: Service, *, kind: str) -> str:
    """The address a kind of process of a service connects with, in SQLAlchemy's form."""
    role = service.role(kind)
    server = postgres.host_and_port(postgres.addresses(instance)[postgres.VARIABLE])
    return f"postgresql+psycopg://{role}:{quote(_password(instance, role))}@{server}/{service.name}"


def ensure(instance: Instance, services: tuple[Service, ...]) -> None:
    """Create what is missing and set every password to the one in use."""
    address = postgres.addresses(instance)[postgres.VARIABLE]
    with psycopg.connect(address, autocommit=True) as connection:
        for service in services:
            roles = {role: _password(instance, role) for role in service.roles}
            _ensure(connection, service.name, roles=roles)
        if not instance.given(keycloak.VARIABLE):
            _ensure(connection, keycloak.DATABASE, roles={keycloak.ROLE: keycloak.database_password(instance)})


def _password(instance: Instance, role: str) -> str:
    return instance.credentials.secret(f"database-{role}")


def _ensure(connection: psycopg.Connection, database: str, *, roles: Mapping[str, str]) -> None:
    """The first role owns the database."""
    name, owner, *_ = map(sql.Identifier, (database, *roles))
    for role, password in roles.items():
        _ensure_role(connection, role, password)
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", database):
        connection.execute(sql.SQL(CREATE).format(name=name, owner=owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    grantees = sql.SQL(", ").join(map(sql.Identifier, roles))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, grantees))


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    verb = "ALTER" if _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) else "CREATE"
    statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _exists(connection: psycopg.Connection, query: str, value: str) -> bool:
    return connection.execute(query.encode(), (value,)).fetchone() is not None
