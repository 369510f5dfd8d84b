"""Fills a database in bulk: no index while rows come, none of them checked one by one, and progress told."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from bench import data
from bench.data import Shape
from chassis.testing.databases import Databases, ServiceDatabase
from chassis.testing.environment import find

TABLES = ("customers", "assignments", "contacts", "contact_places", "contact_records")


@contextmanager
def filled(shape: Shape, customers: int) -> Iterator[ServiceDatabase]:
    """A migrated database of the customers service that holds so many customers; dropped at the end."""
    databases = Databases(find().postgres_url, slot="bench")
    database = databases.get("customers")
    try:
        with database.admin() as connection:
            fill(connection, shape, customers)
        yield database
    finally:
        drop(database)


def drop(database: ServiceDatabase) -> None:
    database.dispose()
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name)))


def fill(connection: psycopg.Connection, shape: Shape, customers: int) -> None:
    """Units, people, customers in sellers' order of time, their contacts and records; then indexes and statistics."""
    connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
    connection.execute("SET synchronous_commit = off")
    indexes = _without_indexes(connection)
    _organisation(connection, shape)
    _people(connection, shape, customers)
    given = {**vars(shape), "customers": customers, "line": data.LINE, **_names()}
    for table, statement in STATEMENTS.items():
        with _step(f"{customers:,} customers: {table}"):
            connection.execute(statement, given)
    with _step(f"{customers:,} customers: indexes"):
        for statement in indexes:
            connection.execute(statement)
    with _step(f"{customers:,} customers: statistics"):
        connection.execute("VACUUM ANALYZE")


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    print(f"  {name} …", end="", flush=True)
    yield
    print(f" {time.monotonic() - began:.0f} s", flush=True)


def _without_indexes(connection: psycopg.Connection) -> list[str]:
    """Drop every index but the primary keys'; the statements that make them again."""
    wanted = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%s) AND indexname NOT LIKE 'pk%%'"
    found = connection.execute(wanted, (list(TABLES),)).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [definition for _, definition in found]


def _organisation(connection: psycopg.Connection, shape: Shape) -> None:
    with connection.cursor().copy(
        "COPY org_units (id, parent_id, code, name, name_en, kind, time_zone, currency, state) FROM STDIN"
    ) as copy:
        for path in shape.paths:
            parent = data.unit(path[:-1]) if path else None
            code = "-".join(map(str, path))
            copy.write_row((data.unit(path), parent, code, code, "", "TEAM", "Asia/Shanghai", "CNY", "ACTIVE"))
    with connection.cursor().copy("COPY org_closure (ancestor_id, descendant_id, depth) FROM STDIN") as copy:
        for path in shape.paths:
            for depth in range(len(path) + 1):
                copy.write_row((data.unit(path[: len(path) - depth]), data.unit(path), depth))
    connection.execute("INSERT INTO org_state VALUES (1, 1)")
    connection.execute(
        "INSERT INTO product_lines (id, code, name, name_en, retired, version, created_at, updated_at) "
        "VALUES (%s, 'L1', '业务线一', '', false, 1, now(), now())",
        (data.LINE,),
    )


def _people(connection: psycopg.Connection, shape: Shape, customers: int) -> None:
    connection.execute("CREATE TEMPORARY TABLE sellers (number int PRIMARY KEY, id uuid, unit_id uuid)")
    with connection.cursor().copy("COPY sellers FROM STDIN") as copy:
        for row in shape.sellers(customers):
            copy.write_row(row)
    connection.execute("""
        INSERT INTO org_people (id, version, number, name, name_en, state, unit_id, unit_ids)
        SELECT id, 1, number::text, '员工' || number, '', 'ACTIVE', unit_id, ARRAY[unit_id] FROM sellers
    """)


def _names() -> dict[str, str | int]:
    return {
        "cities": data.CITIES,
        "first": data.FIRST,
        "second": data.SECOND,
        "trades": data.TRADES,
        "end": data.END,
        "group": data.GROUP,
        "companies": data.COMPANIES,
    }


STATEMENTS = {
    "customers": """
INSERT INTO customers (id, name, short_name, name_en, credit_code, industry, size, tier, source, division_code, address,
    website, phones, tags, note, custom_fields, search_text, search, created_by, created_at, last_contact_at, sort_name,
    version, updated_at)
SELECT md5('customer' || n)::uuid, name, '', '', '', 'C35', 2, n %% 3 + 1, 1, '310000', '世纪大道', '',
    '{}', '{}', '', '{}', name, array_to_tsvector(ARRAY[substr(name, 1, 2), substr(name, 2, 2), substr(name, 3, 2),
    substr(name, 4, 2), substr(name, 5, 2), substr(name, 6, 2), substr(name, 7, 2), substr(name, 8, 2),
    substr(name, 9, 2)]), md5((n %% (%(customers)s / %(held)s))::text)::uuid,
    timestamptz '2025-01-01' + n * interval '10 s',
    timestamptz '2025-06-01' + (n::bigint * 7919 %% %(customers)s) * interval '10 s', md5('name' || n) || ' ' || name,
    1, now()
FROM generate_series(0, %(customers)s - 1) n, LATERAL (SELECT
    substr(%(cities)s, 1 + 2 * (n %% (length(%(cities)s) / 2)), 2)
    || CASE WHEN n %% (%(customers)s / %(companies)s + 1) = 0 THEN %(group)s
        ELSE substr(%(first)s, 1 + n / 7 %% length(%(first)s), 1)
            || substr(%(second)s, 1 + n / 3 %% length(%(second)s), 1) END
    || substr(%(trades)s, 1 + 2 * (n / 11 %% (length(%(trades)s) / 2)), 2) || %(end)s AS name) named
""",
    "assignments": """
INSERT INTO assignments (id, customer_id, line_id, owner_id, unit_id, since, created_at, last_contact_at, sort_name)
SELECT md5('assignment' || n)::uuid, c.id, %(line)s, s.id, s.unit_id, now(), c.created_at, c.last_contact_at,
    c.sort_name
FROM (SELECT *, row_number() OVER (ORDER BY created_at) - 1 AS n FROM customers) c
JOIN sellers s ON s.number = c.n %% (SELECT count(*) FROM sellers)
""",
    "contacts": """
INSERT INTO contacts (id, name, name_en, mobile, phone, email, wechat, birthday, email_consent, phone_consent, note,
    version, created_at, updated_at)
SELECT md5('contact' || c.id || k)::uuid, '联系人' || k, '', '+8613800138000', '', 'a@example.com', '', '', 1, 1, '',
    1, c.created_at, now()
FROM customers c, generate_series(1, %(contacts)s) k
""",
    "contact_places": """
INSERT INTO contact_places (id, contact_id, customer_id, position, role, job_title, department)
SELECT md5('place' || c.id || k)::uuid, md5('contact' || c.id || k)::uuid, c.id, 0, 1, '采购经理', '采购部'
FROM customers c, generate_series(1, %(contacts)s) k
""",
    "contact_records": """
INSERT INTO contact_records (id, customer_id, contact_ids, channel, contacted_at, duration_minutes, outcome, two_way,
    summary, next_step, photo_keys, author_id, version, created_at, updated_at)
SELECT md5('record' || a.customer_id || k)::uuid, a.customer_id, '{}', 1, a.last_contact_at - k * interval '9 d', 10, 1,
    true, '谈了价格与交期,对方下周答复。', '', '{}', a.owner_id, 1, now(), now()
FROM assignments a, generate_series(0, %(records)s - 1) k
""",
}
