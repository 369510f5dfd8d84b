"""A process's health page: GET /health asks every check, GET /live only whether the process answers."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import text

from chassis.database import connect

# Answers what there is to say; raises where something is wrong.
Check = Callable[[], object]


@contextmanager
def page(listen: str, checks: Mapping[str, Check]) -> Iterator[None]:
    """Serve the page at host:port for as long as the context lasts; nothing where `listen` is empty."""
    if not listen:
        yield
        return
    host, _, port = listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), _handler(checks))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="health", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def database_check(url: str) -> Iterator[Check]:
    """Whether the database answers, on a connection of the page's own: the pool may be busy and all well."""
    engine = connect(url, name="health", pool_size=1, statement_timeout_ms=2_000)

    def check() -> object:
        with engine.connect() as connection:
            return "reachable" if connection.scalar(text("SELECT 1")) else "silent"

    try:
        yield check
    finally:
        engine.dispose()


def _handler(checks: Mapping[str, Check]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/live":
                self._answer(200, {"status": "live"})
            elif self.path == "/health":
                self._answer(*_report(checks))
            else:
                self._answer(404, {"status": "not found"})

        def _answer(self, status: int, body: object) -> None:
            encoded = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes come every few seconds; they are not worth a line."""

    return Handler


def _report(checks: Mapping[str, Check]) -> tuple[int, dict[str, object]]:
    found: dict[str, object] = {}
    well = True
    for name, check in checks.items():
        try:
            found[name] = check()
        except Exception as error:  # whatever is wrong is the answer
            found[name], well = type(error).__name__, False
    return (200 if well else 503), {"status": "healthy" if well else "unhealthy", "checks": found}
