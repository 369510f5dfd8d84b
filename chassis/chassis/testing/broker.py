"""RabbitMQ for tests: a virtual host of one's own, by the management API."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from chassis.testing.environment import Environment

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


@contextmanager
def virtual_host(environment: Environment, name: str) -> Iterator[str]:
    """The AMQP address of an empty virtual host that lasts as long as the context."""
    user = urlsplit(environment.broker_url)
    call(environment, "DELETE", f"vhosts/{quote(name)}", missing_ok=True)
    call(environment, "PUT", f"vhosts/{quote(name)}", {})
    call(environment, "PUT", f"permissions/{quote(name)}/{quote(user.username or '')}", EVERYTHING)
    try:
        yield user._replace(path=f"/{quote(name)}").geturl()
    finally:
        call(environment, "DELETE", f"vhosts/{quote(name)}")


def call(environment: Environment, method: str, path: str, body: Any = None, *, missing_ok: bool = False) -> Any:
    """Ask the broker's management API; what it answers, decoded."""
    parts = urlsplit(environment.broker_management_url)
    login = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    request = Request(  # noqa: S310 — the address is the environment's own
        f"{parts.scheme}://{parts.hostname}:{parts.port}/api/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
    )
    return _answer(request, missing_ok=missing_ok)


def _answer(request: Request, *, missing_ok: bool) -> Any:
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310
            answer = response.read()
    except HTTPError as error:
        error.close()
        if missing_ok and error.code == 404:
            return None
        raise
    return json.loads(answer) if answer else None
