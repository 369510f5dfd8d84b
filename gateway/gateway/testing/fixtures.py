"""The fixtures of the gateway's tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from gateway.settings import GatewaySettings
from gateway.testing import realm as realms
from gateway.testing import services as rpcs
from gateway.testing.realm import Realm
from gateway.testing.running import Running
from gateway.testing.services import Services

Start = Callable[..., AbstractContextManager[str]]


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


@pytest.fixture(scope="session")
def other_key() -> RSAKey:
    """A key that no realm of ours has."""
    return new_key("other")


@pytest.fixture(scope="session")
def one_realm() -> Iterator[Realm]:
    realm = Realm(new_key("test"))
    with realms.serving(realm):
        yield realm


@pytest.fixture
def realm(one_realm: Realm) -> Iterator[Realm]:
    """The realm, up at first."""
    yield one_realm
    one_realm.up = True
    one_realm.asked.clear()


@pytest.fixture(scope="session")
def all_services() -> Iterator[Services]:
    services = Services()
    with rpcs.serving(services):
        yield services


@pytest.fixture
def services(all_services: Services) -> Iterator[Services]:
    """The services, answering nothing in particular."""
    yield all_services
    all_services.reset()


@pytest.fixture(scope="session")
def start_gateway(one_realm: Realm, all_services: Services, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts a gateway of one's own: `with start_gateway(concurrency=1) as url`."""

    def start(**changes: Any) -> Running:
        usual: dict[str, Any] = {
            "identity_target": f"127.0.0.1:{all_services.port}",
            "customers_target": f"127.0.0.1:{all_services.port}",
            "issuer": one_realm.url,
            # Nothing listens there: revocations are asked for.
            "broker_url": "amqp://127.0.0.1:1/",
            "service_token": "secret",
            "files_url": f"file://{tmp_path_factory.getbasetemp() / 'files'}",
            "revocation_poll_s": 0.1,
        }
        return Running(GatewaySettings(**{**usual, **changes}))

    return start


@pytest.fixture(scope="session")
def gateway_url(start_gateway: Start) -> Iterator[str]:
    with start_gateway(cors_origins=("https://web.example",)) as url:
        yield url


@pytest.fixture
def http(gateway_url: str, services: Services) -> Iterator[httpx.Client]:  # noqa: ARG001 — emptied after each test
    """A client of the gateway that nobody has signed in."""
    with httpx.Client(base_url=gateway_url, timeout=20) as client:
        yield client


@pytest.fixture
def api(http: httpx.Client, realm: Realm) -> httpx.Client:
    """A client of the gateway, signed in."""
    http.headers["Authorization"] = f"Bearer {realm.token()}"
    return http
