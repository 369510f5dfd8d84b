"""The routes written by hand: sign-in, the interactive description, and health."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import DomainError
from gateway import answers, docs, problems, signin, tracing
from gateway.problems import Problem
from gateway.refusals import refuse
from gateway.signin import Realm
from gateway.visits import Visit

Ready = Callable[[], dict[str, bool]]


def pages(realm: Realm, *, client_id: str, ready: Ready) -> FastAPI:
    """The app for all addresses that no RPC declares."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(signin.router(realm))
    app.include_router(docs.router(client_id))
    app.add_api_route("/health", _health(ready, realm))
    app.add_api_route("/health/ready", _readiness(ready))
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(HTTPException, _missed)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(_Secure)
    return app


def _health(ready: Ready, realm: Realm) -> Callable[[], Awaitable[Response]]:
    """What is ready, and whether people can sign in: whoever has goes on working while they cannot."""

    async def health() -> Response:
        parts, sign_in = ready(), await realm.was_up()
        return JSONResponse({"live": True, "ready": all(parts.values()), "signIn": sign_in, "parts": parts})

    return health


def _readiness(ready: Ready) -> Callable[[], Awaitable[Response]]:
    async def readiness() -> Response:
        parts = ready()
        return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

    return readiness


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return _response(request, problems.of_error(error))


async def _missed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = {404: "ROUTE_NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "MALFORMED_ADDRESS")
    answer = _response(request, problems.of_error(refuse(reason)))
    answer.headers.update(error.headers or {})
    return answer


async def _fault(request: Request, _error: Exception) -> Response:
    return _response(request, problems.fault())


def _response(request: Request, problem: Problem) -> Response:
    headers = dict(request.scope["headers"])
    span = tracing.begin(request.method, headers)
    visit = Visit(request, headers, span, tracing.trace_id(span), time.monotonic())
    answer = answers.problem(problem, visit)
    span.end()
    response = Response(answer.body, answer.status, media_type=answer.media_type.decode())
    response.raw_headers += answer.headers
    return response


class _Secure:
    """Adds the security headers; a page that needs more than nothing says so itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (*answers.SECURITY, answers.NOTHING_LOADS):
                    headers.setdefault(name.decode(), value.decode())
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)
