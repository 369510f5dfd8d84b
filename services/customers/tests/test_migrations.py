"""The database as migrations make it."""

from collections.abc import Callable

from chassis import migrate
from chassis.testing import ServiceDatabase
from customers.tables import METADATA


def test_tables_are_as_declared(service_database: Callable[[str], ServiceDatabase]) -> None:
    assert migrate.drift(service_database("customers").engine("owner"), METADATA) == []
