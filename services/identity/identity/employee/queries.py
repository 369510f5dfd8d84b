"""Every select of employees."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from identity.employee.model import Employee
from identity.refusals import refuse
from identity.unit import queries as units
from tongxiao.identity.v1 import employee_pb2 as pb

ORDER = Order("number", "number")
_KNOWN = {"reach": "whether an employee exists: the directory shows everybody"}


def find_employee(session: Session, employee_id: UUID) -> Employee | None:
    """The employee, if the caller may read their record."""
    return session.scalars(select(Employee).where(Employee.id == employee_id)).one_or_none()


def get_employee(session: Session, employee_id: UUID) -> Employee:
    found = find_employee(session, employee_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def by_numbers(session: Session, numbers: Iterable[str]) -> dict[str, Employee]:
    """The employees within reach by their numbers."""
    return {found.number: found for found in session.scalars(select(Employee).where(Employee.number.in_(set(numbers))))}


def known_employee(session: Session, employee_id: UUID) -> Employee | None:
    """An employee, within reach or beyond."""
    wanted = select(Employee).where(Employee.id == employee_id)
    return session.scalars(wanted, execution_options=_KNOWN).one_or_none()


def by_keycloak_id(session: Session, keycloak_id: str) -> Employee | None:
    wanted = select(Employee).where(Employee.keycloak_id == keycloak_id)
    return session.scalars(wanted, execution_options=_KNOWN).one_or_none()


def is_taken(session: Session, employee_id: UUID) -> bool:
    wanted = select(Employee.id).where(Employee.id == employee_id)
    return session.scalar(wanted, execution_options=_KNOWN) is not None


def fresh(session: Session, employee_ids: Iterable[UUID]) -> Sequence[Employee]:
    """Employees as the database has them by now, by id."""
    wanted = select(Employee).where(Employee.id.in_(set(employee_ids))).order_by(Employee.id)
    options = {"reach": "a person's state follows their posts", "populate_existing": True}
    return session.scalars(wanted, execution_options=options).all()


def count_looked_after(session: Session, unit_id: UUID) -> int:
    """Of how many people who have not left a unit is the home."""
    wanted = select(func.count()).select_from(Employee)
    wanted = wanted.where(Employee.unit_id == unit_id, Employee.state != pb.EMPLOYEE_STATE_LEFT)
    return session.scalar(wanted, execution_options={"reach": "whether a unit is empty"}) or 0


def list_employees(call: Call, request: pb.ListEmployeesRequest) -> tuple[Sequence[Employee], str]:
    """A page of employees within reach, by number."""
    cursor = paging.Cursor(call, request, ORDER)
    wanted = select(Employee)
    if request.unit_id:
        wanted = wanted.where(Employee.unit_id.in_(units.below(call.session, UUID(request.unit_id))))
    if request.states:
        wanted = wanted.where(Employee.state.in_(request.states))
    if request.query:
        places = (Employee.name, Employee.name_en, Employee.number, Employee.username)
        wanted = wanted.where(or_(*(place.icontains(request.query, autoescape=True) for place in places)))
    return cursor.page(call.session, wanted, Employee)
