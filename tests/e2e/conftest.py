"""One platform for all tests here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from chassis.testing import Databases, Environment
from chassis.testing.broker import virtual_host
from chassis.testing.collector import Collector, collecting

from .platform import Platform, started


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Gets the spans of one trace through the platform."""
    with collecting() as found:
        yield found


@pytest.fixture(scope="session")
def platform(
    environment: Environment,
    service_databases: Databases,
    vhost: str,
    test_slot: str,
    tmp_path_factory: pytest.TempPathFactory,
    collector: Collector,
) -> Iterator[Platform]:
    keys, realm = tmp_path_factory.mktemp("keys"), f"e2e-{test_slot}"
    with started(environment, service_databases, vhost, realm=realm, keys=keys, **collector.variables) as found:
        yield found


@pytest.fixture(scope="module")
def arena(
    environment: Environment, test_slot: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], AbstractContextManager[Platform]]]:
    """Starts a platform apart, as new each time, whose people and units a test may wreck."""
    databases, keys = Databases(environment.postgres_url, slot=f"{test_slot}_arena"), tmp_path_factory.mktemp("keys")

    @contextmanager
    def opened() -> Iterator[Platform]:
        with virtual_host(environment, f"test_{test_slot}_arena") as broker:
            with started(environment, databases, broker, realm=f"arena-{test_slot}", keys=keys) as found:
                yield found

    yield opened
    databases.close()
