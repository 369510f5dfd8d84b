"""One platform for all tests here."""

from collections.abc import Iterator

import pytest

from chassis.testing import Databases, Environment

from .platform import Platform, started


@pytest.fixture(scope="session")
def platform(
    environment: Environment,
    service_databases: Databases,
    vhost: str,
    test_slot: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Platform]:
    keys = tmp_path_factory.mktemp("keys")
    with started(environment, service_databases, vhost, realm=f"e2e-{test_slot}", keys=keys) as found:
        yield found
