"""A gateway on a thread of its own, spoken to over HTTP."""

import asyncio
import threading
import time
from contextlib import AbstractContextManager

import httpx
import uvicorn

from gateway.app import opened
from gateway.settings import GatewaySettings


class Running(AbstractContextManager[str]):
    """Ready when entered; what it gives is its address."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings, self._began = settings, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._server: uvicorn.Server | None = None

    def __enter__(self) -> str:
        self._thread.start()
        assert self._began.wait(10)
        assert self._server
        while not self._server.started:
            time.sleep(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        while httpx.get(f"{url}/health/ready").status_code != 200 and self._settings.revocation_grace_s > 0.5:
            time.sleep(0.02)
        return url

    def __exit__(self, *_: object) -> None:
        assert self._server
        self._server.should_exit = True
        self._thread.join(20)

    async def _serve(self) -> None:
        async with opened(self._settings) as door:
            config = uvicorn.Config(door, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
            self._server = uvicorn.Server(config)
            self._began.set()
            await self._server.serve()
