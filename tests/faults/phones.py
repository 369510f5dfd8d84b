"""Phones: they write through the gateway, and ask again with the same key until they have an answer."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from chassis.ids import new_id

from .chain import Chain

PEOPLE = ("salesperson_h", "salesperson_h2", "salesperson_s")
# What a phone asks again for: nobody could say what became of the request, or not now.
AGAIN = {409: ("IN_PROGRESS",), 429: None, 500: None, 502: None, 503: None, 504: None}
RESTING_S = 0.2


class GivenUpError(Exception):
    """The platform has not answered, and nobody waits for it any more."""


@dataclass
class Ledger:
    """What the platform has said it did."""

    customers: dict[UUID, str] = field(default_factory=dict)
    changes: Counter[UUID] = field(default_factory=Counter)
    records: dict[UUID, UUID] = field(default_factory=dict)
    units: set[UUID] = field(default_factory=set)
    asked_again: int = 0
    # Nobody waits for answers any more: something has failed elsewhere.
    given_up: bool = False
    # Answers that were neither what was asked for nor a reason to ask again.
    surprises: list[str] = field(default_factory=list)

    @property
    def writes(self) -> int:
        return len(self.customers) + self.changes.total() + len(self.records) + len(self.units)


@dataclass
class Phone:
    """One person's way to the platform."""

    client: httpx.AsyncClient
    ledger: Ledger
    line: str
    chosen: random.Random
    own: list[UUID] = field(default_factory=list)

    async def write(self) -> None:
        """Create a customer, change one, or log a contact."""
        act = self.chosen.choices((self.create, self.change, self.log), (2, 1, 2))[0] if self.own else self.create
        await act()

    async def create(self) -> None:
        made, name = new_id(), f"远山机械 {uuid4().hex[:8]}"
        body = {"id": str(made), "name": name, "assignments": [{"lineId": self.line}]}
        answer = await self.ask("POST", "/v1/customers", body)
        if answer:
            self.ledger.customers[made] = name
            self.own.append(made)

    async def change(self) -> None:
        customer, name = self.chosen.choice(self.own), f"远山电子 {uuid4().hex[:8]}"
        path = f"/v1/customers/{customer}"
        found = await self.ask("GET", path)
        if found and await self.ask("PATCH", path, {"name": name}, etag=found["etag"]):
            self.ledger.customers[customer] = name
            self.ledger.changes[customer] += 1

    async def log(self) -> None:
        customer, made = self.chosen.choice(self.own), new_id()
        body = {
            "id": str(made),
            "customerId": str(customer),
            "channel": "CONTACT_CHANNEL_CALL",
            "contactTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "twoWay": True,
            "summary": "电话沟通",
        }
        if await self.ask("POST", "/v1/contact-records", body):
            self.ledger.records[made] = customer

    async def ask(self, method: str, path: str, body: Any = None, *, etag: str = "") -> Any:
        """What the platform answers in the end; nothing, and a surprise, where that is a refusal."""
        headers = {"Idempotency-Key": str(uuid4())} if method != "GET" else {}
        headers |= {"If-Match": f'"{etag}"'} if etag else {}
        return await self.send(method, path, json=body, headers=headers)

    async def rest(self) -> None:
        await asyncio.sleep(RESTING_S)

    async def send(self, method: str, path: str, **content: Any) -> Any:
        """The same for what is no JSON."""
        while True:
            try:
                answer = await self.client.request(method, path, **content)
            except httpx.TransportError:
                answer = None
            if answer is not None and not again(answer):
                break
            if self.ledger.given_up:
                raise GivenUpError
            self.ledger.asked_again += 1
            await self.rest()
        if answer.is_success:
            return answer.json() if answer.content else {"done": True}
        self.ledger.surprises.append(f"{method} {path} {answer.status_code} {answer.text[:300]}")
        return None


def again(answer: httpx.Response) -> bool:
    if answer.status_code not in AGAIN:
        return False
    reasons = AGAIN[answer.status_code]
    return reasons is None or answer.json().get("reason") in reasons


async def write_all(
    chain: Chain, ledger: Ledger, line: str, *, writes: int, phones: int, seed: int, meanwhile: Callable[[], bool]
) -> None:
    """Have phones write until the platform has answered for so many writes, and on for as long as something lasts."""

    def goes_on() -> bool:
        return (ledger.writes < writes or meanwhile()) and len(ledger.surprises) < 5 and not ledger.given_up

    async with asyncio.TaskGroup() as group:
        for number in range(phones):
            group.create_task(_one(chain, ledger, line, goes_on, number=number, seed=seed))


async def _one(chain: Chain, ledger: Ledger, line: str, goes_on: Callable[[], bool], *, number: int, seed: int) -> None:
    person = PEOPLE[number % len(PEOPLE)]
    async with signed_in(chain, person, ledger, line=line, seed=seed * 1000 + number) as phone:
        while goes_on():
            if number == 0 and phone.chosen.random() < 0.2:
                await open_unit(chain, ledger)
            await phone.write()


async def open_unit(chain: Chain, ledger: Ledger) -> None:
    """Have the administrator open a team in Hangzhou."""
    made = new_id()
    unit = {"id": str(made), "code": made.hex[-12:].upper(), "name": "新团队", "kind": "UNIT_KIND_TEAM"}
    unit |= {"parentId": str(chain.units["hangzhou"]), "timeZone": "Asia/Shanghai", "currency": "CNY"}
    async with signed_in(chain, "omnipotent", ledger) as phone:
        if await phone.ask("POST", "/v1/units", unit):
            ledger.units.add(made)


async def new_line(chain: Chain) -> str:
    """A product line, as soon as somebody can be asked for it."""
    made = str(new_id())
    async with signed_in(chain, "director", Ledger()) as phone:
        assert await phone.ask("POST", "/v1/product-lines", {"id": made, "code": made[-8:], "name": "设备"})
    return made


@asynccontextmanager
async def signed_in(
    chain: Chain, person: str, ledger: Ledger, *, line: str = "", seed: int = 0
) -> AsyncIterator[Phone]:
    """A phone of somebody's."""
    async with httpx.AsyncClient(base_url=chain.url, headers=chain.headers(person), timeout=15) as client:
        yield Phone(client, ledger, line, random.Random(seed))
