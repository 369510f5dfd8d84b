"""The directory 通讯录: name, post and unit of everybody at work, for everybody who may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from chassis import paging
from chassis.call import Call
from identity.employee.model import Employee
from identity.employee.people import by_person
from identity.employee.queries import ORDER
from identity.post import holding_queries as holdings
from identity.post.holding_queries import Holding
from identity.unit import queries as units
from tongxiao.identity.v1 import employee_pb2 as pb

# The one list that reach does not narrow: it holds no field that a role governs.
DIRECTORY = {"reach": "the directory shows name, post and unit of everybody at work"}


@dataclass(frozen=True)
class Entry:
    """One person in the directory."""

    employee: Employee
    unit_name: str
    post_name: str


def list_directory(call: Call, request: pb.ListDirectoryRequest) -> tuple[list[Entry], str]:
    """A page of the directory, by number."""
    cursor = paging.Cursor(call, request, ORDER)
    found, token = cursor.page(call.session, _wanted(call, request).execution_options(**DIRECTORY), Employee)
    return _entries(call, found), token


def _wanted(call: Call, request: pb.ListDirectoryRequest) -> Select[Any]:
    wanted: Select[Any] = select(Employee).where(Employee.state == pb.EMPLOYEE_STATE_ACTIVE)
    if request.unit_id:
        wanted = wanted.where(Employee.unit_id.in_(units.below(call.session, UUID(request.unit_id))))
    if request.employee_ids:
        wanted = wanted.where(Employee.id.in_([UUID(employee_id) for employee_id in request.employee_ids]))
    if request.query:
        places = (Employee.name, Employee.name_en, Employee.number)
        wanted = wanted.where(or_(*(place.icontains(request.query, autoescape=True) for place in places)))
    return wanted


def _entries(call: Call, found: Sequence[Employee]) -> list[Entry]:
    people = [employee.id for employee in found]
    held = by_person(holdings.of_people(call.session, people), people)
    named = units.names(call.session, [employee.unit_id for employee in found])
    return [Entry(employee, named[employee.unit_id].name, _main(held[employee.id])) for employee in found]


def _main(held: Sequence[Holding]) -> str:
    """The name of the main post, else of the one held longest."""
    ranked = sorted(held, key=lambda holding: (not holding.tenure.main, holding.deputy, holding.tenure.start_on))
    return ranked[0].post.name if ranked else ""
