"""Servers and a probe that the tests of faults may break."""

from collections.abc import Iterator

import pytest

from chassis.testing import Databases
from chassis.testing.broker import virtual_host
from probe.testing import Probe

from .chain import opened
from .scene import Scene
from .servers import Servers, private

# A silent broker is noticed within seconds; what waits for people in production is tried again soon.
QUICK = {"TONGXIAO_HEARTBEAT_S": "2", "TONGXIAO_UNROUTABLE_RETRY_S": "0.5"}


@pytest.fixture(scope="session")
def servers(worker_id: str) -> Iterator[Servers]:
    with private(f"faults-{worker_id}") as found:
        yield found


@pytest.fixture(scope="session")
def own_databases(servers: Servers) -> Iterator[Databases]:
    databases = Databases(servers.environment.postgres_url, slot="faults")
    yield databases
    databases.close()


@pytest.fixture
def probe(servers: Servers, own_databases: Databases) -> Iterator[Probe]:
    """A probe on servers that may be broken; they are well again for the next test."""
    servers.start()
    with virtual_host(servers.environment, "faults") as url:
        yield Probe(own_databases.fresh("probe"), url, QUICK)


@pytest.fixture(scope="session")
def scene(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The whole chain on the servers that may be broken."""
    servers.start()
    with opened(servers, "chain", tmp_path_factory.mktemp("chain")) as chain:
        yield Scene(chain)
