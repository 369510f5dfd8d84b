"""Figures of units against a plain count: small organisations grown at random, with customers of several units."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from chassis import clock
from chassis.database import transaction
from chassis.ids import new_id
from chassis.testing import ServiceDatabase
from chassis.testing.rpc import Door, grant
from customers.base import NEVER
from customers.home import operations
from tongxiao.customers.v1 import customer_pb2 as pb

from .conftest import ALL, plant, upward
from .worlds import ASSIGNMENT, CUSTOMER, LINE, Record, row


@dataclass
class Owned:
    """The units that a customer's lines lie in, by number, and whether it was contacted just now."""

    units: list[int]
    contacted: bool
    id: UUID = field(default_factory=new_id)


@st.composite
def companies(draw: st.DrawFn) -> tuple[list[int | None], list[Owned]]:
    """Each unit's parent, and what is owned in them."""
    parents: list[int | None] = [None] + [draw(st.integers(0, n - 1)) for n in range(1, draw(st.integers(2, 8)))]
    units = st.lists(st.integers(0, len(parents) - 1), min_size=1, max_size=4)
    return parents, draw(st.lists(st.builds(Owned, units=units, contacted=st.booleans()), max_size=8))


@given(grown=companies())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_unit_counts_a_customer_of_it_once(
    grown: tuple[list[int | None], list[Owned]], service_database: Callable[[str], ServiceDatabase], door: Door
) -> None:
    (numbers, customers), database = grown, service_database("customers")
    units = [new_id() for _ in numbers]
    parents = {unit: None if at is None else units[at] for unit, at in zip(units, numbers, strict=True)}
    plant(database, parents)
    door.pipeline.trees.forget()
    with database.engine("owner").begin() as connection:
        keep(connection, customers, units)
    with transaction(database.engine("worker")) as session:
        operations.count_units(session)
    for unit in units:
        caller = door.as_(grant(*ALL, unit=unit, governs=[unit]))
        for told in caller("GetUnitFigures").units:
            assert (told.customer_count, told.uncontacted_count) == plainly(told, customers, units, parents)


def plainly(
    told: pb.UnitFigures, customers: list[Owned], units: list[UUID], parents: dict[UUID, UUID | None]
) -> tuple[int, int]:
    """How many customers lie in a unit or below it, and how many of them were not contacted."""
    below = {at for at, unit in enumerate(units) if UUID(told.unit_id) in upward(unit, parents)}
    lying = [customer for customer in customers if below & set(customer.units)]
    return len(lying), sum(not customer.contacted for customer in lying)


def keep(connection: Connection, customers: list[Owned], units: list[UUID]) -> None:
    lines = [new_id() for _ in range(4)]
    for at, line in enumerate(lines):
        connection.execute(text(LINE), {"id": line, "code": f"L{at}"})
    for owned in customers:
        last = clock.now() if owned.contacted else NEVER
        values = row(Record("远山机械", owners=[], shares={}, id=owned.id)) | {"never": last}
        connection.execute(text(CUSTOMER), values)
        for line, unit in zip(lines, owned.units, strict=False):
            connection.execute(
                text(ASSIGNMENT), values | {"line": line, "owner": new_id(), "unit": units[unit], "key": new_id()}
            )
