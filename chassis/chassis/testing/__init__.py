"""The chassis's pytest plugin: real databases, a real broker, real processes, and a clock that stands still."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chassis import clock
from chassis.testing import tallies
from chassis.testing.broker import virtual_host
from chassis.testing.databases import Databases, ServiceDatabase
from chassis.testing.environment import Environment, slot
from chassis.testing.environment import find as find_environment
from chassis.testing.frozen import FrozenClock
from chassis.testing.polling import eventually
from chassis.testing.processes import Process, process_environment, running

__all__ = [
    "Databases",
    "Environment",
    "FrozenClock",
    "Process",
    "ServiceDatabase",
    "eventually",
    "process_environment",
    "running",
]


@pytest.fixture(scope="session")
def environment() -> Environment:
    """Where the servers that tests use are."""
    return find_environment()


@pytest.fixture(scope="session")
def test_slot(environment: Environment) -> Iterator[str]:
    """A name no other pytest process uses at the moment: two runs on one machine never share a database."""
    with slot(environment) as name:
        yield name


@pytest.fixture(scope="session")
def service_databases(environment: Environment, test_slot: str) -> Iterator[Databases]:
    """Each service's database, made and migrated when first asked for. Tests want `service_database`."""
    databases = Databases(environment.postgres_url, slot=test_slot)
    yield databases
    databases.close()


@pytest.fixture
def service_database(service_databases: Databases) -> Callable[[str], ServiceDatabase]:
    """A service's own migrated database, as it was just after migration: `service_database("customers")`."""
    return service_databases.fresh


@pytest.fixture(scope="session")
def vhost(environment: Environment, test_slot: str) -> Iterator[str]:
    """The AMQP address of a RabbitMQ virtual host that only this pytest process uses."""
    with virtual_host(environment, f"test_{test_slot}") as url:
        yield url


@pytest.fixture
def fresh_vhost(environment: Environment, test_slot: str) -> Iterator[str]:
    """The AMQP address of an empty virtual host, for a test that looks at queues."""
    with virtual_host(environment, f"test_{test_slot}_fresh") as url:
        yield url


@pytest.fixture
def frozen() -> Iterator[FrozenClock]:
    """The chassis's clock, standing still until the test moves it."""
    standing = FrozenClock(clock.now())
    with clock.reading(standing):
        yield standing


@pytest.fixture(scope="session")
def tally() -> Callable[..., None]:
    """Keeps a figure for the table that a run ends with."""
    return tallies.keep


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in tallies.table(tallies.kept):
        terminalreporter.write_line(line)
