"""Versions: told by ETag, demanded by If-Match."""

import httpx
import pytest

from chassis.errors import refuse
from gateway.testing.services import Services
from tongxiao.customers.v1 import customer_pb2

ID = "01890000-0000-7000-8000-0000000000aa"


@pytest.fixture(autouse=True)
def customer(services: Services) -> None:
    services.on("CustomersService.GetCustomer", customer_pb2.Customer(id=ID, name="远大", etag="7"))


def test_a_resource_comes_with_its_version_and_must_be_asked_for_again(api: httpx.Client) -> None:
    answer = api.get(f"/v1/customers/{ID}")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"7"', "private, no-cache")


@pytest.mark.parametrize("held", ['"7"', 'W/"7"', '"1", "7"', "*"])
def test_who_holds_the_version_is_not_sent_it(api: httpx.Client, held: str) -> None:
    answer = api.get(f"/v1/customers/{ID}", headers={"If-None-Match": held})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"7"')


def test_who_holds_another_version_is_sent_this_one(api: httpx.Client) -> None:
    assert api.get(f"/v1/customers/{ID}", headers={"If-None-Match": '"6"'}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"/v1/customers/{ID}", {"name": "a"}),
        ("DELETE", f"/v1/customers/{ID}", None),
        ("POST", f"/v1/customers/{ID}:reassign", {"lineId": ID, "ownerId": ID}),
        ("POST", f"/v1/employees/{ID}:suspend", {}),
    ],
)
def test_a_change_must_say_which_version_it_saw(
    api: httpx.Client, method: str, path: str, body: dict[str, str] | None
) -> None:
    answer = api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["reason"]) == (428, "PRECONDITION_REQUIRED")


def test_the_body_may_say_it(api: httpx.Client, services: Services) -> None:
    assert api.patch(f"/v1/customers/{ID}", json={"name": "a", "etag": "7"}).status_code == 200
    assert services.to("CustomersService.UpdateCustomer")[0].request.customer.etag == "7"


def test_the_header_counts_before_the_body(api: httpx.Client, services: Services) -> None:
    api.patch(f"/v1/customers/{ID}", json={"name": "a", "etag": "6"}, headers={"If-Match": '"7"'})
    assert services.to("CustomersService.UpdateCustomer")[0].request.customer.etag == "7"


def test_any_version_may_be_changed_on_purpose(api: httpx.Client, services: Services) -> None:
    api.delete(f"/v1/customers/{ID}", headers={"If-Match": "*"})
    assert services.to("CustomersService.DeleteCustomer")[0].request.etag == "*"


@pytest.mark.parametrize("tag", ["7", '"7', '"1", "7"', ""])
def test_a_tag_that_is_none_is_refused(api: httpx.Client, tag: str) -> None:
    answer = api.delete(f"/v1/customers/{ID}", headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["reason"]) == (400, "HEADER_INVALID")


def test_a_weak_tag_matches_nothing(api: httpx.Client) -> None:
    answer = api.delete(f"/v1/customers/{ID}", headers={"If-Match": 'W/"7"'})
    assert (answer.status_code, answer.json()["reason"]) == (412, "VERSION_MISMATCH")


def test_a_version_gone_by_fails_the_precondition(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.DeleteCustomer", refuse("VERSION_MISMATCH", current="8"))
    answer = api.delete(f"/v1/customers/{ID}", headers={"If-Match": '"7"'})
    assert (answer.status_code, answer.json()["metadata"]) == (412, {"current": "8"})


def test_a_creation_needs_no_version(api: httpx.Client) -> None:
    assert api.post("/v1/customers", json={"name": "a"}).status_code == 201


def test_answers_that_hold_secrets_are_never_stored(api: httpx.Client) -> None:
    assert api.post(f"/v1/contacts/{ID}:reveal", json={}).headers["cache-control"] == "no-store"
