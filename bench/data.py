"""A bench company: 5,000 units, and customers of whom every salesperson holds 200, whatever their number."""

import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Engine, text

from chassis import schema
from customers.base import Base
from customers.customer import model as _customer  # noqa: F401
from customers.product_line import model as _line  # noqa: F401

REGIONS, BRANCHES, TEAMS, HELD = 10, 10, 49, 200
LINE = uuid.UUID(int=1)


@dataclass(frozen=True)
class Person:
    """Who asks: a name for the table, an id, the unit they belong to and the one they govern, if any."""

    name: str
    id: uuid.UUID
    unit: uuid.UUID
    governs: uuid.UUID | None


def unit(*path: int) -> uuid.UUID:
    """The id of the unit at a path of positions below the company."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "unit/" + "/".join(map(str, path)))


def seller(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"seller/{number}")


def customer(number: int) -> uuid.UUID:
    return uuid.UUID(hashlib.md5(f"customer{number}".encode(), usedforsecurity=False).hexdigest())


PEOPLE = (
    Person("salesperson", seller(0), unit(0, 0, 0), None),
    Person("branch manager", uuid.UUID(int=11), unit(0, 0), unit(0, 0)),
    Person("region director", uuid.UUID(int=12), unit(0), unit(0)),
    Person("HQ director", uuid.UUID(int=13), unit(), unit()),
)


def fill(engine: Engine, customers: int) -> None:
    """Create the tables and fill them with `customers` customers, in sellers' order of time."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        schema.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE outbox_default PARTITION OF outbox DEFAULT"))
        Base.metadata.create_all(connection)
        _units(connection)
        _people(connection, customers)
        connection.execute(text(_CUSTOMERS), {"customers": customers, "held": HELD, "line": LINE})
        connection.execute(text(_ASSIGNMENTS), {"held": HELD, "line": LINE})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def _units(connection) -> None:  # type: ignore[no-untyped-def]
    paths: list[tuple[int, ...]] = [()]
    paths += [(r,) for r in range(REGIONS)]
    paths += [(r, b) for r in range(REGIONS) for b in range(BRANCHES)]
    paths += [(r, b, t) for r in range(REGIONS) for b in range(BRANCHES) for t in range(TEAMS)]
    blank = {"name_en": "", "kind": "TEAM", "time_zone": "Asia/Shanghai", "currency": "CNY", "state": "ACTIVE"}
    rows = [
        {"id": unit(*p), "parent_id": unit(*p[:-1]) if p else None, "code": str(p), "name": str(p), **blank}
        for p in paths
    ]
    connection.execute(schema.org_units.insert(), rows)
    closure = [
        {"ancestor_id": unit(*p[:d]), "descendant_id": unit(*p), "depth": len(p) - d}
        for p in paths
        for d in range(len(p) + 1)
    ]
    connection.execute(schema.org_closure.insert(), closure)
    connection.execute(schema.org_state.insert(), {"id": 1, "tree_version": 1})
    connection.execute(
        text(
            "INSERT INTO product_lines (id, code, name, name_en, retired, version, created_at, updated_at) "
            "VALUES (:id, 'L1', '业务线一', '', false, 1, now(), now())"
        ),
        {"id": LINE},
    )


def _people(connection, customers: int) -> None:  # type: ignore[no-untyped-def]
    connection.execute(text("CREATE UNLOGGED TABLE sellers (number int PRIMARY KEY, id uuid, unit_id uuid)"))
    teams = [(r, b, t) for r in range(REGIONS) for b in range(BRANCHES) for t in range(TEAMS)]
    rows = [{"number": n, "id": seller(n), "unit_id": unit(*teams[n % len(teams)])} for n in range(customers // HELD)]
    connection.execute(text("INSERT INTO sellers VALUES (:number, :id, :unit_id)"), rows)


_CUSTOMERS = """
INSERT INTO customers (id, name, short_name, name_en, credit_code, industry, size, tier, source, division_code, address,
    website, phones, tags, note, custom_fields, search_text, search, created_by, created_at, last_contact_at, sort_name,
    version, updated_at)
SELECT md5('customer' || n)::uuid, '客户' || n || '有限公司', '', '', '', 'C35', 2, n % 3 + 1, 1, '310000', '', '',
    '{}', '{}', '', '{}', '客户' || n || '有限公司',
    array_to_tsvector(ARRAY['客户', '有限', '限公', '公司', '户' || left(n::text, 1)]), :line,
    timestamptz '2025-01-01' + n * interval '10 s',
    timestamptz '2025-06-01' + (n::bigint * 7919 % :customers) * interval '10 s', md5('name' || n), 1, now()
FROM generate_series(0, :customers - 1) n
"""

_ASSIGNMENTS = """
INSERT INTO assignments (id, customer_id, line_id, owner_id, unit_id, since, created_at, last_contact_at, sort_name)
SELECT md5('assignment' || n)::uuid, c.id, :line, s.id, s.unit_id, now(), c.created_at, c.last_contact_at, c.sort_name
FROM (SELECT *, row_number() OVER (ORDER BY created_at) - 1 AS n FROM customers) c
JOIN sellers s ON s.number = c.n % (SELECT count(*) FROM sellers)
"""
