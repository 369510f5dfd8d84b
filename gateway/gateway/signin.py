"""Sign-in under this origin: the browser is sent on to the realm, codes are traded through here."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.refusals import refuse

PROBE_S, PROBED_FOR_S, TOLD_S = 1.0, 1.5, 0.2
TOKEN_S = 10
LONGEST_FORM = 64 * 1024
_PASSED_ON = ("content-type", "authorization", "accept-language")


class Realm:
    """The realm's OpenID endpoints: `public` is how browsers reach it, `internal` how this process does."""

    def __init__(self, client: httpx.AsyncClient, *, public: str, internal: str) -> None:
        self._client, self._public, self._internal = client, public, internal
        self._probed_at, self._up = -float("inf"), False
        self._probe: asyncio.Task[bool] | None = None

    def address(self, name: str, query: str) -> str:
        return f"{self._public}/protocol/openid-connect/{name}" + (f"?{query}" if query else "")

    async def is_up(self) -> bool:
        """Whether the realm answers; asked at most every second and a half."""
        if time.monotonic() - self._probed_at > PROBED_FOR_S:
            self._up = await self._answers()
            self._probed_at = time.monotonic()
        return self._up

    async def was_up(self) -> bool:
        """The same as far as it is known within a fifth of a second: who probes this process does not wait for it."""
        self._probe = asyncio.create_task(self.is_up())
        await asyncio.wait({self._probe}, timeout=TOLD_S)
        return self._up

    async def demand_up(self) -> None:
        """Refuse SIGN_IN_UNAVAILABLE while the realm does not answer."""
        if not await self.is_up():
            raise refuse("SIGN_IN_UNAVAILABLE")

    async def token(self, form: bytes, headers: dict[str, str]) -> httpx.Response:
        """The token endpoint's own answer; refuses SIGN_IN_UNAVAILABLE where there is none."""
        address = f"{self._internal}/protocol/openid-connect/token"
        try:
            answer = await self._client.post(address, content=form, headers=headers, timeout=TOKEN_S)
        except httpx.HTTPError as error:
            raise refuse("SIGN_IN_UNAVAILABLE") from error
        if answer.status_code >= 500:
            raise refuse("SIGN_IN_UNAVAILABLE")
        return answer

    async def _answers(self) -> bool:
        try:
            answer = await self._client.get(self._internal, timeout=PROBE_S)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200


def router(realm: Realm) -> APIRouter:
    """The sign-in routes."""
    routes = APIRouter(prefix="/v1/oauth")
    routes.add_api_route("/authorize", _sending_to(realm, "auth"), methods=["GET"])
    routes.add_api_route("/logout", _sending_to(realm, "logout"), methods=["GET"])
    routes.add_api_route("/token", _trading(realm), methods=["POST"])
    return routes


def _sending_to(realm: Realm, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def send_on(request: Request) -> Response:
        await realm.demand_up()
        return RedirectResponse(realm.address(name, request.url.query), 302, {"Cache-Control": "no-store"})

    return send_on


def _trading(realm: Realm) -> Callable[[Request], Awaitable[Response]]:
    async def trade(request: Request) -> Response:
        form = b""
        async for part in request.stream():
            form += part
            if len(form) > LONGEST_FORM:
                raise refuse("BODY_TOO_LARGE")
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        answer = await realm.token(form, headers)
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.content, answer.status_code, {"Cache-Control": "no-store"}, kind)

    return trade
