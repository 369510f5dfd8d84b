"""python -m gateway serve: the front door, until SIGTERM; requests at work are finished first."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop

from chassis import logs, process, telemetry
from chassis.settings import load
from gateway.app import opened
from gateway.settings import GatewaySettings

BACKLOG = 2048


def main() -> None:
    if sys.argv[1:] != ["serve"]:
        sys.exit("usage: python -m gateway serve")
    settings = load(GatewaySettings)
    logs.configure("gateway", "serve")
    # It would log a line for each request to the realm.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    end = telemetry.start("gateway", "serve")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    finally:
        end()


async def _serve(settings: GatewaySettings) -> None:
    async with opened(settings) as door:
        process.spare_the_collector()
        config = uvicorn.Config(
            door,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=65,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
        await _Server(config).serve(sockets=_sockets(settings))


class _Server(uvicorn.Server):
    """Stops at a signal and returns, where uvicorn's own would end the process before all is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield


def _sockets(settings: GatewaySettings) -> list[socket.socket]:
    return [_listening(address) for address in (settings.listen, settings.health_listen) if address]


def _listening(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG)


if __name__ == "__main__":
    main()
