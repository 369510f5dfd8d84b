"""Lists at growing numbers of customers, the same holdings per person: blocks read and time per page."""

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event

from bench import data
from chassis import clock, guard, paging, tokens
from chassis.call import Call
from chassis.caller import Caller, Grant
from chassis.listing import Narrowing
from chassis.rpc import rpcs
from chassis.tree import TreeCache
from customers.apis import apis
from customers.customer.queries import LISTING, ORDERS
from customers.settings import Settings
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import customer_pb2 as pb

ROUNDS = 60
Row = tuple[str, str, float, float, int]


def measure(engine: Engine) -> list[Row]:
    """Per person: first and deep page, p50 and p95 in ms, blocks."""
    engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    tokens.use_secret("bench")
    trees = TreeCache(engine)
    rpc = next(rpc for rpc in rpcs(apis(Settings(database_url="-"))) if rpc.name == "ListCustomers")  # type: ignore[arg-type]
    found = []
    for person in data.PEOPLE:
        with guard.ReachedSession(engine, autoflush=False) as session:
            call = Call(rpc, _caller(person), session, trees, ())
            first = pb.ListCustomersRequest()
            token = _page(call, first).next_token
            for name, request in (("first", first), ("deep", pb.ListCustomersRequest(page_token=token))):
                found.append((person.name, name, *_timed(engine, call, request)))
    return found


def _timed(engine: Engine, call: Call, request: Any) -> tuple[float, float, int]:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        _page(call, request)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return times[ROUNDS // 2], times[int(ROUNDS * 0.95)], _blocks(engine, call, request)


def _page(call: Call, request: Any) -> paging.Page:
    order = ORDERS[pb.CUSTOMER_ORDER_UNSPECIFIED]
    return paging.page(call, LISTING, order=order, narrowing=Narrowing(), request=request)


def _blocks(engine: Engine, call: Call, request: Any) -> int:
    """The blocks that the page's statement touches, as PostgreSQL counts them."""
    ran: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        ran.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    _page(call, request)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + ran[-1][0], ran[-1][1])
        plan = cursor.fetchone()[0][0]["Plan"]  # type: ignore[index]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _caller(person: data.Person) -> Caller:
    grant = Grant(
        post_id=person.id,
        unit_id=person.unit,
        governs=(person.governs,) if person.governs else (),
        permissions=frozenset({int(PERMISSION_CUSTOMER_READ)}),
    )
    now = clock.now()
    return Caller(
        person_id=person.id, session_id="", grants=(grant,), issued_at=now, expires_at=now + timedelta(hours=9)
    )
