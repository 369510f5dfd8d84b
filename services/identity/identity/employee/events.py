"""What identity publishes of employees."""

from collections.abc import Iterable
from uuid import UUID

from chassis import outbox
from chassis.envelope import Envelope
from identity.employee.model import Employee
from tongxiao.identity.events.v1 import events_pb2 as pb
from tongxiao.identity.v1.employee_pb2 import EmployeeState

CHANGED = "person.changed.v1"


def person_changed(employee: Employee, unit_ids: Iterable[UUID]) -> Envelope:
    """The employee as others need them; `unit_ids` are the units that their posts belong to today."""
    data = public_state(employee, unit_ids)
    return outbox.state("identity", CHANGED, data, subject=employee.id, version=employee.told_version)


def public_state(employee: Employee, unit_ids: Iterable[UUID]) -> pb.PersonChanged:
    return pb.PersonChanged(
        id=str(employee.id),
        number=employee.number,
        name=employee.name,
        name_en=employee.name_en,
        state=EmployeeState.Name(employee.state).removeprefix("EMPLOYEE_STATE_"),  # type: ignore[arg-type]
        unit_id=str(employee.unit_id),
        unit_ids=[str(unit_id) for unit_id in unit_ids],
    )
