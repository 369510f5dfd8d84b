"""Addresses that gather several services' answers for one screen; a part whose service is down is named, not awaited.

To add a part to a screen, add a line to its `parts`.
"""

import asyncio
from dataclasses import dataclass

import orjson

from gateway import answers, catalogue, replies, templates
from gateway.answers import Answer
from gateway.client import Client
from gateway.endpoints import Pace, Target
from gateway.problems import Problem
from gateway.templates import Template, Tree
from gateway.visits import Visit


@dataclass(frozen=True)
class Part:
    """One RPC's reply under a name; `key` is its request's field for the id in the address."""

    name: str
    rpc: str
    key: str


@dataclass(frozen=True)
class Aggregate:
    """A screen: what `main` answers, and `parts` beside it. Without `main` there is no screen."""

    address: str
    main: Part
    parts: tuple[Part, ...] = ()


AGGREGATES = (
    Aggregate(
        "/v1/customers/{id}/overview",
        main=Part("", "CustomersService.GetCustomerOverview", "id"),
        parts=(),
    ),
)


class Screen:
    """Serves one aggregate, all its parts at the same time."""

    open = False

    def __init__(self, aggregate: Aggregate, client: Client, pace: Pace) -> None:
        self._aggregate, self._client, self._seconds = aggregate, client, pace.read
        self.template: Template = templates.parse(aggregate.address)

    async def answer(self, visit: Visit, values: list[str]) -> Answer:
        visit.allow(self._seconds)
        parts = self._aggregate.parts
        main, *others = await asyncio.gather(
            self._ask(visit, self._aggregate.main, values[0]),
            *(self._ask(visit, part, values[0]) for part in parts),
            return_exceptions=True,
        )
        if isinstance(main, BaseException):
            raise main
        return _answer(main, dict(zip((part.name for part in parts), others, strict=True)))

    async def _ask(self, visit: Visit, part: Part, key: str) -> bytes:
        rpc = catalogue.find(part.rpc)
        return replies.encoded(await self._client.ask(visit, rpc, rpc.request(**{part.key: key})))


def add(tree: Tree[Target], client: Client, pace: Pace) -> None:
    """Serve every aggregate."""
    for aggregate in AGGREGATES:
        screen = Screen(aggregate, client, pace)
        tree.add(screen.template, "GET", screen)


def _answer(main: bytes, others: dict[str, bytes | BaseException]) -> Answer:
    """The parts beside what the main one says; they are JSON already and stay as they are."""
    unavailable = [name for name, found in others.items() if isinstance(found, BaseException) and _is_down(found)]
    parts = {name: orjson.Fragment(found) for name, found in others.items() if isinstance(found, bytes)}
    beside = orjson.dumps({**parts, "unavailable": unavailable})
    joined = main[:-1] + (b"," if len(main) > len(b"{}") else b"") + beside[1:]
    return Answer(200, joined, [answers.REVALIDATE])


def _is_down(error: BaseException) -> bool:
    """Whether a part is missing because its service is; any other refusal of it leaves it out. Faults are raised."""
    if not isinstance(error, Problem):
        raise error
    return error.status >= 500
