"""Servers and a probe that the tests of faults may break."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from chassis.testing import Databases
from chassis.testing.broker import virtual_host
from probe.testing import Probe

from .chain import Chain, opened
from .servers import Servers, private

# Minutes long: `make faults` runs them.
collect_ignore = [] if "FAULTS_WRITES" in os.environ else ["test_storm.py", "test_points.py"]
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
def open_chain(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Chain]]:
    """Opens the whole chain on the servers that may be broken: `with open_chain("storm") as chain`."""

    def open_(name: str, **more: str) -> AbstractContextManager[Chain]:
        servers.start()
        return opened(servers, name, tmp_path_factory.mktemp(name), **more)

    return open_
