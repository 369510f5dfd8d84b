"""What only the whole platform shows of requests that come twice, late, too large or with somebody else's marks."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .platform import Platform

Json = dict[str, Any]


@pytest.fixture(scope="module")
def line(platform: Platform) -> str:
    return platform.make("director", "/v1/product-lines", code="REQ", name="设备")


@pytest.fixture
def customer(platform: Platform, line: str) -> Json:
    """A new customer of the salesperson in Hangzhou."""
    answer = platform.client("salesperson_h").post("/v1/customers", json=wanted(line))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def wanted(line: str, **fields: Any) -> Json:
    return {"id": str(uuid4()), "name": "远山机械", "assignments": [{"lineId": line}], **fields}


def rows(platform: Platform) -> list[int]:
    """How many customers, events, audit rows and remembered keys there are."""
    with platform.customers.admin() as connection:
        asked = [f"SELECT count(*) FROM {name}" for name in ("customers", "outbox", "audit", "idempotency")]
        return [connection.execute(query).fetchone()[0] for query in asked]  # type: ignore[index]


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text


BODIES = {
    "malformed": (b'{"name": "x"', 400, "MALFORMED_JSON"),
    "not utf-8": (b'{"name": "\xff"}', 400, "MALFORMED_JSON"),
    "ten megabytes": (b'{"note": "' + b"x" * 10_000_000 + b'"}', 413, "BODY_TOO_LARGE"),
    "deep": (b'{"customFields": ' + b'{"a":' * 500 + b"1" + b"}" * 501, 400, "NESTED_TOO_DEEPLY"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read_leaves_nothing(platform: Platform, name: str) -> None:
    body, status, reason = BODIES[name]
    before = rows(platform)
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    refused(platform.client("salesperson_h").post("/v1/customers", content=body, headers=headers), status, reason)
    assert rows(platform) == before


def test_of_two_changes_to_one_version_the_second_is_refused(platform: Platform, customer: Json) -> None:
    path, seller = f"/v1/customers/{customer['id']}", platform.client("salesperson_h")
    headers = {"If-Match": f'"{customer["etag"]}"'}
    first = seller.patch(path, json={"note": "一"}, headers=headers)
    assert first.status_code == 200
    before = rows(platform)
    refused(seller.patch(path, json={"note": "二"}, headers=headers), 412, "VERSION_MISMATCH")
    refused(platform.client("manager_h").delete(path, headers=headers), 412, "VERSION_MISMATCH")
    assert (rows(platform), seller.get(path).json()["note"]) == (before, "一")


def test_of_many_changes_to_one_version_at_once_one_counts(platform: Platform, customer: Json) -> None:
    path, seller = f"/v1/customers/{customer['id']}", platform.client("salesperson_h")
    headers = {"If-Match": f'"{customer["etag"]}"'}
    answers = at_once(lambda n: seller.patch(path, json={"note": str(n)}, headers=headers))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    kept = next(answer.json()["note"] for answer in answers if answer.status_code == 200)
    assert seller.get(path).json()["note"] == kept


def test_a_key_carries_a_request_out_once_and_no_other_request(platform: Platform, line: str) -> None:
    seller, key = platform.client("salesperson_h"), {"Idempotency-Key": str(uuid4())}
    given = wanted(line, id="")
    first = seller.post("/v1/customers", json=given, headers=key)
    before = rows(platform)
    again = seller.post("/v1/customers", json=given, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    refused(seller.post("/v1/customers", json={**given, "name": "别的"}, headers=key), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(seller.post("/v1/contacts", json=contact(first.json()["id"]), headers=key), 422, "IDEMPOTENCY_KEY_REUSED")
    assert rows(platform) == before


def test_another_persons_key_of_the_same_name_is_another_key(platform: Platform, line: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    made = [
        platform.client(name).post("/v1/customers", json=wanted(line, id=""), headers=key).json()["id"]
        for name in ("salesperson_h", "salesperson_s")
    ]
    assert made[0] != made[1]


def test_a_refused_request_does_not_use_its_key_up(platform: Platform, line: str) -> None:
    seller, key = platform.client("salesperson_h"), {"Idempotency-Key": str(uuid4())}
    refused(
        seller.post("/v1/customers", json=wanted(line, divisionCode="990000"), headers=key), 400, "DIVISION_UNKNOWN"
    )
    assert seller.post("/v1/customers", json=wanted(line), headers=key).status_code == 201


def test_of_the_same_request_many_times_at_once_one_is_carried_out(platform: Platform, line: str) -> None:
    seller, key = platform.client("salesperson_h"), {"Idempotency-Key": str(uuid4())}
    given, before = wanted(line, id=""), rows(platform)[0]
    answers = at_once(lambda _: seller.post("/v1/customers", json=given, headers=key))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["reason"] for answer in answers if answer.status_code == 409} <= {"IN_PROGRESS"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert rows(platform)[0] == before + 1


@pytest.mark.parametrize("address", ["/v1/customers", "/v1/customers:search?query=翻页", "/v1/contacts", "/v1/roles"])
def test_a_page_token_serves_who_got_it_for_what_they_asked(platform: Platform, line: str, address: str) -> None:
    manager = platform.client("manager_h")
    for _ in range(2):
        at = platform.make("salesperson_h", "/v1/customers", name="翻页机械", assignments=[{"lineId": line}])
        platform.make("salesperson_h", "/v1/contacts", **contact(at))
    asked = httpx.URL(address).copy_merge_params({"pageSize": 1})
    token = manager.get(asked).json()["nextPageToken"]
    assert manager.get(asked.copy_merge_params({"pageToken": token})).status_code == 200
    for wrong in (*edited(token), "x", "." * 2000):
        refused(manager.get(asked.copy_merge_params({"pageToken": wrong})), 400, "PAGE_TOKEN_INVALID")
    elsewhere = asked.copy_merge_params({"pageToken": token})
    refused(platform.client("manager_s").get(elsewhere), 400, "PAGE_TOKEN_INVALID")
    refused(manager.get("/v1/posts", params={"pageToken": token}), 400, "PAGE_TOKEN_INVALID")


def edited(token: str) -> set[str]:
    """The token with single bytes of it changed."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    changed = {
        base64.urlsafe_b64encode(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode().rstrip("=")
        for at in range(len(raw))
    }
    return changed - {token}


def contact(customer_id: str) -> Json:
    return {"name": "李四", "places": [{"customerId": customer_id}]}


def at_once(act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(act, range(8)))
