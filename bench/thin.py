"""The ceiling: the same operations on FastAPI and asyncpg with SQL by hand. No sign-in, rights, rules or audit.

`python -m bench.thin PORT DATABASE_URL`; the header `person` says who asks.
"""

import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

SHOWN = "c.id, c.name, c.short_name, c.name_en, c.credit_code, c.industry, c.size, c.tier, c.source, c.division_code"
SHOWN += ", c.address, c.website, c.phones, c.tags, c.note, c.version, c.created_at, c.updated_at, c.last_contact_at"
SHOWN += ", a.line_id, a.owner_id, a.unit_id, a.since"
JOINED = f"SELECT {SHOWN} FROM assignments a JOIN customers c ON c.id = a.customer_id"
ORDERED = "ORDER BY a.created_at DESC, a.customer_id DESC LIMIT 50"

FIRST = f"{JOINED} WHERE a.owner_id = $1 AND a.deleted_at IS NULL {ORDERED}"
AFTER = (
    f"{JOINED} WHERE a.owner_id = $1 AND a.deleted_at IS NULL AND (a.created_at, a.customer_id) < ($2, $3) {ORDERED}"
)
ALL_AFTER = f"{JOINED} WHERE a.deleted_at IS NULL AND (a.created_at, a.customer_id) < ($1, $2) {ORDERED}"
FOUND = (
    f"{JOINED} WHERE a.owner_id = $1 AND a.deleted_at IS NULL AND c.search_text LIKE $2 ORDER BY a.sort_name LIMIT 50"
)
ONE = f"{JOINED} WHERE c.id = $1"
CONTACTS = "SELECT n.* FROM contact_places p JOIN contacts n ON n.id = p.contact_id WHERE p.customer_id = $1 LIMIT 50"
RECORDS = "SELECT * FROM contact_records WHERE customer_id = $1 ORDER BY contacted_at DESC LIMIT 20"
CREATE = """
INSERT INTO customers (id, name, short_name, name_en, credit_code, industry, size, tier, source, division_code, address,
    website, phones, tags, note, custom_fields, search_text, search, created_by, created_at, last_contact_at, sort_name,
    version, updated_at)
VALUES ($1, $2, '', '', '', '', 0, 0, 0, '', '', '', '{}', '{}', '', '{}', $2, '', $3, now(), now(), $2, 1, now())
"""
ASSIGN = """
INSERT INTO assignments (id, customer_id, line_id, owner_id, unit_id, since, created_at, last_contact_at, sort_name)
VALUES ($1, $2, $3, $4, $5, now(), now(), now(), $6)
"""
LOG = """
INSERT INTO contact_records (id, customer_id, contact_ids, channel, contacted_at, duration_minutes, outcome, two_way,
    summary, next_step, photo_keys, author_id, version, created_at, updated_at)
VALUES ($1, $2, '{}', 1, now(), 0, 1, true, $3, '', '{}', $4, 1, now(), now())
"""
TOUCH = (
    "UPDATE customers SET last_contact_at = $2, version = version + 1 WHERE id = $1",
    "UPDATE assignments SET last_contact_at = $2 WHERE customer_id = $1",
)


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(sys.argv[2], min_size=10, max_size=10) as app.state.pool:
        yield


app = FastAPI(lifespan=_connected)


def _answer(found: Any) -> Response:
    return Response(orjson.dumps(found, default=str), media_type="application/json")


async def _rows(request: Request, statement: str, *values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in await request.app.state.pool.fetch(statement, *values)]


@app.get("/customers")
async def customers(request: Request, after: str = "", after_id: str = "", everybody: bool = False) -> Response:
    mark = (datetime.fromisoformat(after), uuid.UUID(after_id)) if after else ()
    if everybody:
        return _answer(await _rows(request, ALL_AFTER, *mark))
    return _answer(await _rows(request, AFTER if after else FIRST, request.headers["person"], *mark))


@app.get("/search")
async def search(request: Request, query: str) -> Response:
    return _answer(await _rows(request, FOUND, request.headers["person"], f"%{query}%"))


@app.get("/customers/{id_}/overview")
async def overview(request: Request, id_: str) -> Response:
    async with request.app.state.pool.acquire() as connection:
        parts = [await connection.fetch(statement, id_) for statement in (ONE, CONTACTS, RECORDS)]
    return _answer([[dict(row) for row in part] for part in parts])


@app.post("/customers")
async def create(request: Request) -> Response:
    given, made = orjson.loads(await request.body()), uuid.uuid4()
    person, unit = request.headers["person"], request.headers["unit"]
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(CREATE, made, given["name"], person)
        line = given["assignments"][0]["lineId"]
        await connection.execute(ASSIGN, uuid.uuid4(), made, line, person, unit, given["name"])
    return _answer({"id": made})


@app.post("/contact-records")
async def log(request: Request) -> Response:
    given, made = orjson.loads(await request.body()), uuid.uuid4()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(LOG, made, given["customerId"], given["summary"], request.headers["person"])
        for statement in TOUCH:
            await connection.execute(statement, given["customerId"], datetime.now(UTC))
    return _answer({"id": made})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
