"""While Keycloak is away whoever is signed in goes on working; new sign-ins are told that they must wait."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from chassis.testing import eventually, running
from chassis.testing.processes import free_port

from .forwarder import Forwarder
from .platform import Platform

FORM = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "tongxiao-web"}


@pytest.fixture
def way(platform: Platform) -> Iterator[Forwarder]:
    """The only way of a gateway to Keycloak."""
    keycloak = urlsplit(platform.realm_url)
    with Forwarder(keycloak.hostname or "", keycloak.port or 80) as found:
        yield found


@pytest.fixture
def door(platform: Platform, way: Forwarder) -> Iterator[httpx.Client]:
    """A client of such a gateway, signed in."""
    port = free_port()
    own = {"TONGXIAO_LISTEN": f"127.0.0.1:{port}", "TONGXIAO_KEYCLOAK_URL": f"http://127.0.0.1:{way.port}"}
    headers = {"Authorization": f"Bearer {platform.token('salesperson_h')}"}
    with running("gateway", "serve", {**platform.door, **own}):
        with httpx.Client(base_url=f"http://localhost:{port}", headers=headers, timeout=20) as client:
            yield client


def test_who_is_signed_in_goes_on_and_new_sign_ins_wait(platform: Platform, door: httpx.Client, way: Forwarder) -> None:
    newcomer = {"Authorization": f"Bearer {platform.token('manager_h')}"}
    assert door.get("/v1/me").status_code == 200
    way.close()
    line = platform.make("director", "/v1/product-lines", code="DOWN", name="设备")
    assert door.get("/v1/me").status_code == 200
    assert door.post("/v1/customers", json={"name": "x", "assignments": [{"lineId": line}]}).status_code == 201
    # Their token was issued before; the realm's keys are known.
    assert door.get("/v1/me", headers=newcomer).status_code == 200
    eventually(lambda: unavailable(door.get("/v1/oauth/authorize")))
    assert unavailable(door.post("/v1/oauth/token", data=FORM))
    way.open()
    eventually(lambda: door.get("/v1/oauth/authorize").status_code == 302)
    assert door.post("/v1/oauth/token", data=FORM).json()["error"] == "invalid_grant"


def unavailable(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and answer.json()["reason"] == "SIGN_IN_UNAVAILABLE"
