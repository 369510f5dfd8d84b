"""The whole chain at 200,000 customers, beside thin FastAPI + asyncpg in the same run: operations a second and CPU."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from bench import data, stage
from bench.data import Person
from bench.filling import filled
from bench.stage import Stage
from bench.table import Section, table
from chassis import clock
from chassis.testing.databases import ServiceDatabase
from chassis.testing.polling import eventually
from chassis.testing.processes import free_port

CUSTOMERS, CONCURRENCY, SECONDS, SELLERS, LOGGED = 200_000, 16, 5.0, 16, 12_000


TOLD = (
    f"{CUSTOMERS:,} customers, 500 salespeople, 25 teams, {CONCURRENCY} connections; one process of the gateway, "
    f"{stage.CORES} of the service. CPU in ms an operation. Thin: FastAPI and asyncpg, one process, no sign-in, "
    "rights, rules, audit or outbox."
)


@dataclass(frozen=True)
class Work:
    """One kind of operation: the same asked of the product and of thin, as whole HTTP requests; the goal a second."""

    name: str
    goal: int
    product: list[str]
    thin: list[str]


def measure() -> Section:
    rows = []
    with (
        filled(data.PEERS, CUSTOMERS) as database,
        stage.opened(database, processes=stage.CORES) as on,
        _thin(database) as thin,
    ):
        for work in works(on):
            print(f"  {work.name} …", flush=True)
            told, spent = _run(on, work.product, on.address.rpartition(":")[2])
            bare, _ = _run(on, work.thin, str(thin))
            rate, ceiling = told["operations"] / SECONDS, bare["operations"] / SECONDS
            parts = [f"{spent[part] / told['operations']:.2f}" for part in ("gateway", "customers", "postgresql")]
            times = [f"{told['p50']:.0f}", f"{told['p95']:.0f}", *parts, f"{told['cpu'] / told['operations']:.2f}"]
            rows.append([work.name, work.goal, f"{rate:,.0f}", *times, f"{ceiling:,.0f}", f"{rate / ceiling:.2f}"])
    heads = ["operation", "asked/s", "ops/s", "p50 ms", "p95 ms", "gateway", "customers", "PostgreSQL", "client"]
    return Section("The whole chain", TOLD, table([*heads, "thin ops/s", "of thin"], rows))


def _run(on: Stage, requests: list[str], port: str) -> tuple[dict[str, float], dict[str, float]]:
    """What the client tells, and the CPU that each part spent meanwhile."""
    command = [sys.executable, "-m", "bench.client", port, str(CONCURRENCY), str(SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        assert client.stdout
        client.stdin.write(json.dumps(requests))
        client.stdin.close()
        client.stdout.readline()
        before = on.spent()
        line = client.stdout.readline()
        after = on.spent()
    return json.loads(line), {part: after[part] - before[part] for part in before}


def works(on: Stage) -> Iterator[Work]:
    """The kinds of work that peers were measured by, each with its requests."""
    people = [Person("", id_, unit) for _, id_, unit in islice(data.PEERS.sellers(CUSTOMERS), SELLERS)]
    bearers = {person: on.bearer(person) for person in (*people, data.DIRECTOR)}
    newest = {person: _walk(on, person, {})[0] for person in people}
    last = {person: _last(on, person) for person in people}

    def both(person: Person, product: str, thin: str, body: Any = None) -> tuple[str, str]:
        text = json.dumps(body, ensure_ascii=False) if body else ""
        who = {"person": str(person.id), "unit": str(person.unit)}
        return _request(product, text, authorization=bearers[person]), _request(thin, text, **who)

    def work(name: str, goal: int, made: Iterator[tuple[str, str]]) -> Work:
        product, thin = zip(*made, strict=True)
        return Work(name, goal, list(product), list(thin))

    yield work("W1 first page", 800, (both(p, "/v1/customers", "/customers") for p in people))
    yield work("W1 last page", 800, (both(p, *_after(*last[p])) for p in people))
    middle = _after(*_middle(on), everybody=True)
    yield work("W1 manager, page N/2", 500, (both(data.DIRECTOR, *middle) for _ in people))
    asked = f"?query={quote(data.FRAGMENTS['medium'])}"
    yield work("W2 fragment search", 500, (both(p, f"/v1/customers:search{asked}", f"/search{asked}") for p in people))
    ids = [(p, found["id"]) for p in people for found in newest[p]["customers"]]
    seen = (both(p, f"/v1/customers/{id_}/overview", f"/customers/{id_}/overview") for p, id_ in ids)
    yield work("W3 customer 360", 600, seen)
    made = {"name": "新客户科技有限公司", "assignments": [{"lineId": str(data.LINE)}]}
    yield work("W4 create", 450, (both(p, "/v1/customers", "/customers", made) for p in people))
    logged = (
        both(*ids[n % len(ids)][:1], "/v1/contact-records", "/contact-records", _record(ids, n)) for n in range(LOGGED)
    )
    yield work("W5 log a contact", 500, logged)


def _record(ids: list[tuple[Person, str]], number: int) -> dict[str, Any]:
    """A touch, each of a customer later than the one before."""
    when = clock.now() - timedelta(seconds=LOGGED - number)
    told = {"channel": "CONTACT_CHANNEL_CALL", "outcome": "CONTACT_OUTCOME_TALKED", "twoWay": True}
    return {"customerId": ids[number % len(ids)][1], "contactTime": when.isoformat(), "summary": "谈了价格", **told}


def _request(path: str, body: str, **headers: str) -> str:
    verb, encoded = ("POST" if body else "GET"), body.encode()
    lines = [f"{verb} {path} HTTP/1.1", "host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(encoded)}"]
    return "\r\n".join([*lines, "", body])


def _walk(on: Stage, person: Person, parameters: dict[str, Any], pages: int = 1) -> list[dict[str, Any]]:
    """So many pages, or as many as there are."""
    found: list[dict[str, Any]] = []
    with on.http(person) as http:
        while len(found) < pages:
            answer = http.get("/v1/customers", params=parameters)
            answer.raise_for_status()
            found.append(answer.json())
            if not (token := found[-1]["nextPageToken"]):
                break
            parameters = {**parameters, "pageToken": token}
    return found


def _last(on: Stage, person: Person) -> tuple[str, dict[str, Any]]:
    """The token of the last page, and the customer before it."""
    before = _walk(on, person, {}, data.PEERS.held // 50)[-2]
    return before["nextPageToken"], before["customers"][-1]


def _middle(on: Stage) -> tuple[str, dict[str, Any]]:
    """The token of the manager's page in the middle, and the customer before it."""
    before = _walk(on, data.DIRECTOR, {"pageSize": 200}, CUSTOMERS // 400)[-1]
    return before["nextPageToken"], before["customers"][-1]


def _after(token: str, customer: dict[str, Any], **more: Any) -> tuple[str, str]:
    mark = urlencode({"after": customer["createTime"], "after_id": customer["id"], **more})
    return f"/v1/customers?pageToken={token}", f"/customers?{mark}"


@contextmanager
def _thin(database: ServiceDatabase) -> Iterator[int]:
    """The port of thin, ready."""
    port = free_port()
    url = database.url("owner").replace("+psycopg", "")
    with subprocess.Popen([sys.executable, "-m", "bench.thin", str(port), url]) as process:
        try:
            eventually(lambda: _answers(port), 20)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/docs").status_code == 200
    except httpx.TransportError:
        return False
