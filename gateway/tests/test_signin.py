"""Sign-in under this origin, and the page that uses it."""

import httpx
import pytest

from chassis.testing import eventually
from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services


def test_the_browser_is_sent_to_the_realm_with_its_query(http: httpx.Client, realm: Realm) -> None:
    answer = http.get("/v1/oauth/authorize?client_id=tongxiao-web&state=a%20b")
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{realm.url}/protocol/openid-connect/auth?client_id=tongxiao-web&state=a%20b"


def test_it_is_sent_to_sign_out_as_well(http: httpx.Client, realm: Realm) -> None:
    answer = http.get("/v1/oauth/logout?client_id=tongxiao-web")
    assert answer.headers["location"] == f"{realm.url}/protocol/openid-connect/logout?client_id=tongxiao-web"


def test_a_code_is_traded_through_the_gateway(http: httpx.Client, realm: Realm) -> None:
    answer = http.post("/v1/oauth/token", data={"grant_type": "authorization_code", "code": "c"})
    assert answer.json()["form"] == "grant_type=authorization_code&code=c"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("GET", "authorize"), ("GET", "logout"), ("POST", "token")])
def test_while_the_realm_is_down_sign_in_is_unavailable(
    start_gateway: Start, services: Services, realm: Realm, method: str, path: str
) -> None:
    realm.up = False
    with start_gateway() as url:
        answer = httpx.request(method, f"{url}/v1/oauth/{path}")
    assert (answer.status_code, answer.json()["reason"]) == (503, "SIGN_IN_UNAVAILABLE")
    assert answer.json()["traceId"]


def test_a_form_far_too_large_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/oauth/token", content=b"x" * 100_000)
    assert (answer.status_code, answer.json()["reason"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_page_loads_nothing_from_elsewhere(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert "SwaggerUIBundle" in http.get("/docs/start.js").text
    assert "http" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "favicon.png", "oauth2-redirect"])
def test_what_the_page_loads_is_here(http: httpx.Client, name: str) -> None:
    assert http.get(f"/docs/{name}").status_code == 200


def test_the_script_that_returns_from_sign_in_is_the_only_one_its_page_may_run(http: httpx.Client) -> None:
    assert "script-src 'sha256-" in http.get("/docs/oauth2-redirect").headers["content-security-policy"]


def test_another_address_is_a_problem(http: httpx.Client) -> None:
    answer = http.get("/docs/nothing")
    assert (answer.status_code, answer.json()["reason"]) == (404, "ROUTE_NOT_FOUND")
    assert http.put("/health").json()["reason"] == "METHOD_NOT_ALLOWED"


def test_health_says_what_is_missing(http: httpx.Client) -> None:
    told = {"live": True, "ready": True, "signIn": True, "parts": {"revocations": True}}
    eventually(lambda: http.get("/health").json() == told)


def test_a_gateway_is_ready_while_nobody_can_sign_in(start_gateway: Start, services: Services, realm: Realm) -> None:
    realm.up = False
    with start_gateway() as url:
        found = httpx.get(f"{url}/health").json()
    assert (found["ready"], found["signIn"]) == (True, False)
