"""The way in: finds who answers an address, lets the right people pass, and turns every refusal into a problem."""

import logging
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import DomainError
from chassis.errors import refuse as refuse_common
from gateway import answers, cors, problems, tracing
from gateway.answers import Answer
from gateway.endpoints import Target
from gateway.limits import Limits
from gateway.problems import Problem
from gateway.refusals import refuse
from gateway.sessions import Sessions
from gateway.templates import Tree
from gateway.visits import Visit

log = logging.getLogger(__name__)

Methods = dict[str, Target]


class Door:
    """Serves the addresses in the tree; `pages` serves all others."""

    def __init__(
        self,
        tree: Tree[Target],
        pages: ASGIApp,
        *,
        sessions: Sessions,
        limits: Limits,
        concurrency: int,
        origins: cors.Origins,
    ) -> None:
        self._tree, self._pages, self._origins = tree, pages, origins
        self._sessions, self._limits = sessions, limits
        self._concurrency, self._busy = concurrency, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._pages(scope, receive, send)
            return
        headers = dict(scope["headers"])
        span = tracing.begin(scope["method"], headers)
        visit = Visit(Request(scope, receive), headers, span, tracing.trace_id(span), time.monotonic())
        try:
            answer = await self._answer(visit, *found)
            answer.headers += cors.headers(self._origins, visit)
            await answers.send(answer, visit, send)
            self._record(visit, found[0], answer)
        finally:
            span.end()

    def _find(self, scope: Scope) -> tuple[Methods, list[str]] | None:
        try:
            return self._tree.find(scope["raw_path"].decode("ascii"))
        except UnicodeDecodeError:
            return None

    async def _answer(self, visit: Visit, methods: Methods, values: list[str]) -> Answer:
        try:
            return await self._admit(visit, methods, values)
        except Problem as problem:
            return answers.problem(problem, visit)
        except DomainError as error:
            return answers.problem(problems.of_error(error), visit)
        except Exception:
            log.exception("fault, trace %s", visit.trace_id)
            return answers.problem(problems.fault(), visit)

    async def _admit(self, visit: Visit, methods: Methods, values: list[str]) -> Answer:
        method = "GET" if visit.request.method == "HEAD" else visit.request.method
        target = methods.get(method)
        if method == "OPTIONS":
            return Answer(204, headers=[(b"allow", _allowed(methods)), *cors.preflight(self._origins, visit, methods)])
        if target is None:
            return _not_allowed(visit, methods)
        if self._busy >= self._concurrency:
            raise refuse_common("OVERLOADED")
        self._busy += 1
        try:
            return await self._served(visit, target, values)
        finally:
            self._busy -= 1

    async def _served(self, visit: Visit, target: Target, values: list[str]) -> Answer:
        if target.open:
            return await target.answer(visit, values)
        visit.session = await self._sessions.enter(visit.header(b"authorization"))
        left = self._limits.take(visit.session.person_id)
        answer = await target.answer(visit, values)
        answer.headers += [(b"ratelimit-policy", self._limits.policy), (b"ratelimit", left)]
        return answer

    def _record(self, visit: Visit, methods: Methods, answer: Answer) -> None:
        target = methods.get(visit.request.method) or next(iter(methods.values()))
        attributes: dict[str, str | int] = {
            "http.request.method": visit.request.method,
            "http.route": target.template.text,
            "http.response.status_code": answer.status,
        }
        tracing.duration.record(time.monotonic() - visit.began, attributes)
        if visit.span.is_recording():
            visit.span.update_name(f"{visit.request.method} {target.template.text}")
            visit.span.set_attributes(attributes)


def _allowed(methods: Methods) -> bytes:
    names = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return ", ".join(sorted(names)).encode()


def _not_allowed(visit: Visit, methods: Methods) -> Answer:
    answer = answers.problem(problems.of_error(refuse("METHOD_NOT_ALLOWED")), visit)
    answer.headers.append((b"allow", _allowed(methods)))
    return answer
