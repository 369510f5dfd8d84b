"""The probe's processes, for the tests of the chassis's messaging half."""

from collections.abc import Callable

import pytest

from chassis.testing import ServiceDatabase
from chassis.testing.probing import Probe


@pytest.fixture
def probe(service_database: Callable[[str], ServiceDatabase], fresh_vhost: str) -> Probe:
    """An empty probe on an empty broker; nothing runs yet."""
    return Probe(service_database("probe"), fresh_vhost)
