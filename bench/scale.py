"""Lists, searches and the overview as the number of customers grows, the same holdings per person."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, event

from bench import data, stage
from bench.filling import filled
from bench.table import Section, table
from chassis import guard, tokens
from chassis.call import Call, mapped_classes
from chassis.database import connect
from chassis.rpc import Rpc, rpcs
from chassis.testing.databases import ServiceDatabase
from chassis.tree import TreeCache
from customers.apis import apis
from customers.base import Base
from customers.settings import Settings
from tongxiao.customers.v1 import customer_pb2 as pb

SIZES, ROUNDS = (10_000, 100_000, 1_000_000), 40
ASKED = {
    "first page": "blocks ≤ 1.5×, p95 ≤ 2× + 1 ms",
    "deep page": "the same",
    "one company": "the same",
    "common": "≤ 150 ms",
}
Key = tuple[str, str]
Found = tuple[float, float, int]


def measure() -> Section:
    found: list[dict[Key, Found]] = []
    for size in SIZES:
        with filled(data.WIDE, size) as database:
            found.append(dict(_measured(database)))
    heads = ["who", "what", *(f"{size:,}: p50 / p95 ms, blocks" for size in SIZES), "asked", "blocks ×", "p95"]
    told = (
        "5,000 units; every salesperson holds 200. From the RPC's function to its answer, with all its statements. "
        "Blocks × is 1,000,000 over 100,000; p95 says whether it is within twice that of 10,000 and 1 ms. "
        f"One company's name is borne by {data.COMPANIES} at every size; a rare fragment by one in 1,900."
    )
    return Section("As customers grow", told, table(heads, [_row(key, found) for key in found[0]]))


def _row(key: Key, sizes: list[dict[Key, Found]]) -> list[str]:
    cells = [f"{p50:.1f} / {p95:.1f}, {blocks:,}" for p50, p95, blocks in (size[key] for size in sizes)]
    small, middle, large = (size[key] for size in sizes)
    within = "within" if large[1] <= 2 * small[1] + 1 else "beyond"
    asked = ASKED.get(key[1].removeprefix("search, "), "")
    return [*key, *cells, asked, f"{large[2] / middle[2]:.2f}", within]


def _measured(database: ServiceDatabase) -> Iterator[tuple[Key, Found]]:
    engine = connect(database.url(), name="bench", pool_size=3).execution_options(isolation_level="AUTOCOMMIT")
    guard.watch(engine)
    tokens.use_secret("bench")
    served = {rpc.name: rpc for rpc in rpcs(apis(Settings(database_url="-")))}  # type: ignore[arg-type]
    trees, classes = TreeCache(engine), mapped_classes(Base)
    for person in data.PEOPLE:
        print(f"  {person.name} …", flush=True)

        def ask(name: str, request: Any, person: data.Person = person) -> Any:
            rpc: Rpc = served[name]
            with guard.ReachedSession(engine, autoflush=False) as session:
                return rpc.function(request, Call(rpc, stage.caller(person), session, trees, classes))

        for name, act in _acts(ask):
            yield (person.name, name), _timed(engine, act)
    engine.dispose()


def _acts(ask: Callable[[str, Any], Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    first = ask("ListCustomers", pb.ListCustomersRequest())
    deep = pb.ListCustomersRequest(page_token=first.next_page_token)
    yield "first page", lambda: ask("ListCustomers", pb.ListCustomersRequest())
    yield "deep page", lambda: ask("ListCustomers", deep)
    for name, fragment in data.FRAGMENTS.items():
        request = pb.SearchCustomersRequest(query=fragment)
        yield f"search, {name}", lambda request=request: ask("SearchCustomers", request)  # type: ignore[misc]
    overview = pb.GetCustomerOverviewRequest(id=first.customers[0].id)
    yield "360", lambda: ask("GetCustomerOverview", overview)


def _timed(engine: Engine, act: Callable[[], Any]) -> Found:
    """p50 and p95 in milliseconds, and the blocks that the statements touch."""
    act()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        act()
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return times[ROUNDS // 2], times[int(ROUNDS * 0.95)], _blocks(engine, act)


def _blocks(engine: Engine, act: Callable[[], Any]) -> int:
    """As PostgreSQL counts them."""
    ran: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        ran.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect().execution_options(reach="bench") as connection:
        cursor = connection.connection.cursor()
        plans = [_plan(cursor, *each) for each in ran]
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)


def _plan(cursor: Any, statement: str, parameters: Any) -> dict[str, int]:
    cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, parameters)
    found: dict[str, int] = cursor.fetchone()[0][0]["Plan"]
    return found
