"""Rates, load, other origins and the headers that go with them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx

from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.customers.v1 import customer_pb2

ID = str(uuid4())


def test_every_answer_says_how_much_is_left(api: httpx.Client) -> None:
    first, second = api.get("/v1/me"), api.get("/v1/me")
    assert first.headers["ratelimit-policy"] == '"person";q=3000;w=60'
    assert first.headers["ratelimit"].startswith('"person";r=')
    assert second.headers["ratelimit"].startswith('"person";r=')


def test_who_asks_too_often_is_told_when_to_come_back(start_gateway: Start, services: Services, realm: Realm) -> None:
    with start_gateway(requests_per_minute=3) as url, httpx.Client(base_url=url) as client:
        client.headers["Authorization"] = f"Bearer {realm.token()}"
        answers = [client.get("/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["reason"] == "RATE_LIMITED"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20


def test_more_than_can_be_done_at_once_is_refused_at_once(
    start_gateway: Start, services: Services, realm: Realm
) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def wait(request: Any) -> customer_pb2.Customer:
        arrived.set()
        go_on.wait(5)
        return customer_pb2.Customer(id=request.id)

    services.on("CustomersService.GetCustomer", wait)
    headers = {"Authorization": f"Bearer {realm.token()}"}
    with start_gateway(concurrency=1) as url, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(httpx.get, f"{url}/v1/customers/{ID}", headers=headers)
        assert arrived.wait(5)
        refused = httpx.get(f"{url}/v1/me", headers=headers)
        alive = httpx.get(f"{url}/health")
        go_on.set()
        assert slow.result().status_code == 200
    assert (refused.status_code, refused.json()["reason"], refused.headers["retry-after"]) == (503, "OVERLOADED", "1")
    assert alive.status_code == 200


def test_an_allowed_origin_may_ask_and_read(api: httpx.Client) -> None:
    origin = {"Origin": "https://web.example"}
    asked = api.options(f"/v1/customers/{ID}", headers={**origin, "Access-Control-Request-Method": "PATCH"})
    assert asked.headers["access-control-allow-origin"] == "https://web.example"
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    assert "If-Match" in asked.headers["access-control-allow-headers"]
    assert "ETag" in api.get("/v1/me", headers=origin).headers["access-control-expose-headers"]


def test_another_origin_may_not(api: httpx.Client) -> None:
    origin = {"Origin": "https://evil.example"}
    asked = api.options("/v1/me", headers={**origin, "Access-Control-Request-Method": "GET"})
    assert "access-control-allow-origin" not in {**asked.headers, **api.get("/v1/me", headers=origin).headers}


def test_every_answer_is_guarded(api: httpx.Client) -> None:
    for path in ("/v1/me", "/v1/nothing", "/", "/health"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
