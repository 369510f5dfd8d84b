"""A projection filled from its owner's snapshot, over a real gRPC server; and compared with it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import grpc
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chassis import backfill, reconcile
from chassis.database import transaction
from chassis.service import declared
from chassis.testing import Databases, Environment, ServiceDatabase, process_environment, running
from chassis.testing.processes import free_port
from probe.model import ProbeCustomer
from probe.settings import Settings

TOKEN = "between processes"
NUMBER = 1_203
TYPE = "customer.changed.v1"


@dataclass
class Sides:
    """An owner that serves its snapshots, and a consumer's empty database."""

    owner: ServiceDatabase
    consumer: ServiceDatabase
    settings: Settings

    def fill(self, *arguments: str) -> int:
        return backfill.run(declared("probe"), self.settings, [*arguments, TYPE])

    def reconcile(self) -> int:
        return reconcile.run(declared("probe"), self.settings, [TYPE])

    def kept(self) -> int:
        with Session(self.consumer.engine("owner")) as session:
            return session.scalar(select(func.count()).select_from(ProbeCustomer)) or 0


def customer(number: int, **other: Any) -> ProbeCustomer:
    """A customer of the owner's; every hundredth is gone."""
    values: dict[str, Any] = {"version": 3, "name": f"客户 {number}" if number % 100 else None, "assignments": []}
    return ProbeCustomer(id=UUID(int=number), **{**values, **other})


@pytest.fixture(scope="module")
def owner(environment: Environment, test_slot: str) -> Iterator[ServiceDatabase]:
    databases = Databases(environment.postgres_url, slot=f"{test_slot}_owner")
    database = databases.get("probe")
    with transaction(database.engine("owner")) as session:
        session.add_all(customer(number) for number in range(1, NUMBER + 1))
    yield database
    databases.close()


@pytest.fixture(scope="module")
def target(owner: ServiceDatabase, vhost: str) -> Iterator[str]:
    listen = f"127.0.0.1:{free_port()}"
    more = {"TONGXIAO_LISTEN": listen, "TONGXIAO_SERVICE_TOKEN": TOKEN, "TONGXIAO_IDENTITY_TARGET": "127.0.0.1:1"}
    with running("probe", "serve", process_environment("serve", owner, vhost, **more)):
        yield listen


@pytest.fixture
def sides(owner: ServiceDatabase, service_database: Callable[[str], ServiceDatabase], target: str) -> Sides:
    consumer = service_database("probe")
    url, token = SecretStr(consumer.url("worker")), SecretStr(TOKEN)
    return Sides(owner, consumer, Settings(database_url=url, service_token=token, customers_target=target))


def test_an_empty_projection_is_filled(sides: Sides) -> None:
    assert sides.fill() == 0
    assert sides.kept() == NUMBER
    assert sides.reconcile() == 0


def test_what_is_newer_stays(sides: Sides) -> None:
    with transaction(sides.consumer.engine("worker")) as session:
        session.add(customer(7, version=9, name="newer"))
    sides.fill()
    with Session(sides.consumer.engine("owner")) as session:
        assert session.get_one(ProbeCustomer, UUID(int=7)).name == "newer"


def test_it_goes_on_after_a_key(sides: Sides) -> None:
    sides.fill("--after", str(UUID(int=1_000)))
    assert sides.kept() == NUMBER - 1_000


def test_each_difference_is_named(sides: Sides, caplog: pytest.LogCaptureFixture) -> None:
    sides.fill()
    with transaction(sides.consumer.engine("worker")) as session:
        session.execute(update(ProbeCustomer).where(ProbeCustomer.id == UUID(int=5)).values(version=2))
        session.delete(session.get_one(ProbeCustomer, UUID(int=6)))
    with caplog.at_level(logging.WARNING):
        assert sides.reconcile() == 1
    named = [record.getMessage() for record in caplog.records if record.name == "chassis.reconcile"]
    assert named == [
        f"{TYPE} {UUID(int=5)}: owner has 3, kept is 2",
        f"{TYPE} {UUID(int=6)}: owner has 3, kept is None",
    ]


def test_a_stranger_gets_nothing(sides: Sides) -> None:
    guessed = sides.settings.model_copy(update={"service_token": SecretStr("guessed")})
    stranger = replace(sides, settings=guessed)
    with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
        stranger.fill()
    assert stranger.kept() == 0
