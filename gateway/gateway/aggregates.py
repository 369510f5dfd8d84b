"""Addresses that gather several services' answers for one screen; a part whose service is down is named, not awaited.

To add a part to a screen, add a line to its `parts`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import UNAUTHORIZED
from typing import Any

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
    """One RPC's reply under a name.

    Of its request, `key` is the field for the id in the address, `mine` the one for whoever asks; `asked` holds others.
    """

    name: str
    rpc: str
    key: str = ""
    mine: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Aggregate:
    """A screen: what `main` answers, and `parts` beside it. Where there is a `main`, there is no screen without it.

    One without a main has a `name` and a `summary` (in Chinese and in English) of its own, and no id in its address.
    """

    address: str
    main: Part | None = None
    parts: tuple[Part, ...] = ()
    name: str = ""
    summary: tuple[str, str] = ("", "")


# How many of each a screen shows before one opens the list.
_FEW = {"page_size": 20}
_AT_WORK = {"at_work": True, **_FEW}

AGGREGATES = (
    Aggregate(
        "/v1/customers/{id}/overview",
        main=Part("", "CustomersService.GetCustomerOverview", "id"),
        parts=(),
    ),
    Aggregate(
        "/v1/home",
        name="getHome",
        summary=(
            "首页：各人所见依其岗位，无权查看的部分不出现。",
            "What each person finds first; parts that one may not read are left out.",
        ),
        parts=(
            Part("me", "SessionsService.GetMe"),
            Part("customers", "CustomersService.GetCustomerSummary"),
            Part("records", "ContactRecordsService.ListContactRecords", mine="author_id", asked={"page_size": 10}),
            Part("units", "CustomersService.GetUnitFigures"),
            Part("imports", "ImportJobsService.ListImportJobs", asked=_AT_WORK),
            Part("exports", "ExportJobsService.ListExportJobs", asked=_AT_WORK),
            Part("reassignments", "ReassignmentJobsService.ListReassignmentJobs", asked=_AT_WORK),
            Part("employeeImports", "EmployeeImportJobsService.ListEmployeeImportJobs", asked=_AT_WORK),
            Part("vacantPosts", "PostsService.ListPosts", asked={"vacant": True, **_FEW}),
            Part("drifts", "EmployeesService.ListDrifts", asked={"open": True, **_FEW}),
        ),
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
        key, parts = (values[0] if values else ""), self._aggregate.parts
        main, *others = await asyncio.gather(
            self._main(visit, key), *(self._ask(visit, part, key) for part in parts), return_exceptions=True
        )
        if isinstance(main, BaseException):
            raise main
        return _answer(main, dict(zip((part.name for part in parts), others, strict=True)))

    async def _main(self, visit: Visit, key: str) -> bytes:
        return await self._ask(visit, self._aggregate.main, key) if self._aggregate.main else b"{}"

    async def _ask(self, visit: Visit, part: Part, key: str) -> bytes:
        rpc = catalogue.find(part.rpc)
        fields = {**part.asked, **({part.key: key} if part.key else {}), **_mine(visit, part)}
        return replies.encoded(await self._client.ask(visit, rpc, rpc.request(**fields)))


def _mine(visit: Visit, part: Part) -> Mapping[str, str]:
    passport = visit.session.passport if part.mine and visit.session else None
    return {part.mine: str(passport.person_id)} if passport else {}


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
    """Whether a part is missing because its service is; a refusal of it leaves it out.

    Faults are raised, and so is what concerns whoever asks, not the part: that they must sign in again.
    """
    if not isinstance(error, Problem) or error.status == UNAUTHORIZED:
        raise error
    return error.status >= 500
