"""The probe's processes, for the tests of the chassis's messaging half."""

from collections.abc import Callable, Iterator

import pytest

from chassis.testing import Databases, Environment, ServiceDatabase
from chassis.testing.broker import virtual_host
from probe import trails
from probe.testing import Probe
from probe.trails import Trail


@pytest.fixture
def probe(service_database: Callable[[str], ServiceDatabase], fresh_vhost: str) -> Probe:
    """An empty probe on an empty broker; nothing runs yet."""
    return Probe(service_database("probe"), fresh_vhost)


@pytest.fixture(scope="module")
def alive(service_databases: Databases, environment: Environment, test_slot: str) -> Iterator[Probe]:
    """A probe whose worker and relay run for all of a module's tests, which tell their events apart by id."""
    with virtual_host(environment, f"test_{test_slot}_alive") as url:
        probe = Probe(service_databases.fresh("probe"), url)
        with probe.run("work"), probe.run("relay"):
            yield probe


@pytest.fixture
def trail(service_database: Callable[[str], ServiceDatabase]) -> Iterator[Trail]:
    """The probe's audit trail, empty."""
    with trails.opened(service_database("probe")) as found:
        yield found
