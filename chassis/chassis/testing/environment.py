"""Where the servers that tests use are, and a name of one's own on them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

VARIABLE = "TONGXIAO_TEST_ENV"
PLACE = Path(".run", "test", "environment.json")


@dataclass(frozen=True)
class Environment:
    """The servers' addresses, by the names of the variables that processes read."""

    variables: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.variables[name]

    @property
    def postgres_url(self) -> str:
        """A superuser's address, in libpq's form."""
        return self["TONGXIAO_POSTGRES_URL"]

    @property
    def broker_url(self) -> str:
        return self["TONGXIAO_BROKER_URL"]

    @property
    def broker_management_url(self) -> str:
        return self["TONGXIAO_BROKER_MANAGEMENT_URL"]


def find() -> Environment:
    """The environment that TONGXIAO_TEST_ENV names or `make parts` wrote; ends the test where there is none."""
    place = _place()
    if place is None:
        pytest.fail(f"These tests need the servers that `make parts` starts (or {VARIABLE} naming their addresses).")
    return Environment(json.loads(place.read_text()))


def _place() -> Path | None:
    if named := os.environ.get(VARIABLE):
        return Path(named)
    here = Path.cwd()
    return next((folder / PLACE for folder in (here, *here.parents) if (folder / PLACE).is_file()), None)


@contextmanager
def slot(environment: Environment) -> Iterator[str]:
    """Claim the first free name for this xdist worker, for as long as the context lasts.

    The claim is an advisory lock: it ends with the process, however that ends.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with psycopg.connect(environment.postgres_url, autocommit=True) as connection:
        for number in count():
            name = f"{worker}_{number}" if number else worker
            claimed = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (f"test slot {name}",)).fetchone()
            if claimed and claimed[0]:
                yield name
                return
