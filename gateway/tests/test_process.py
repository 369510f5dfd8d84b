"""`python -m gateway serve` as it runs in production."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from chassis.testing import eventually
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.customers.v1 import customer_pb2

ID = "01890000-0000-7000-8000-0000000000aa"


@contextmanager
def running(realm: Realm, services: Services) -> Iterator[tuple["subprocess.Popen[bytes]", str, str]]:
    """The process, its address, and the address that is for probes."""
    door, probes = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    told = {
        "TONGXIAO_LISTEN": door,
        "TONGXIAO_HEALTH_LISTEN": probes,
        "TONGXIAO_IDENTITY_TARGET": f"127.0.0.1:{services.port}",
        "TONGXIAO_CUSTOMERS_TARGET": f"127.0.0.1:{services.port}",
        "TONGXIAO_ISSUER": realm.url,
        "TONGXIAO_BROKER_URL": "amqp://127.0.0.1:1/",
        "TONGXIAO_SERVICE_TOKEN": "secret",
    }
    with subprocess.Popen([sys.executable, "-m", "gateway", "serve"], env={**os.environ, **told}) as process:
        eventually(lambda: _ready(probes), 30)
        yield process, f"http://{door}", f"http://{probes}"
        process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_request_at_work_is_finished_before_the_process_ends(realm: Realm, services: Services) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def wait(request: Any) -> customer_pb2.Customer:
        arrived.set()
        go_on.wait(5)
        return customer_pb2.Customer(id=request.id)

    services.on("CustomersService.GetCustomer", wait)
    headers = {"Authorization": f"Bearer {realm.token()}"}
    with running(realm, services) as (process, url, _), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{url}/v1/customers/{ID}", headers=headers)
        assert arrived.wait(5)
        process.send_signal(signal.SIGTERM)
        go_on.set()
        assert answer.result().json()["id"] == ID
        assert process.wait(20) == 0


def test_start_up_names_every_missing_setting() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TONGXIAO_")}
    command = [sys.executable, "-m", "gateway", "serve"]
    ended = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    for name in ("IDENTITY_TARGET", "CUSTOMERS_TARGET", "ISSUER", "BROKER_URL", "SERVICE_TOKEN"):
        assert f"TONGXIAO_{name}" in ended.stderr
