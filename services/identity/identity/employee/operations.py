"""What is done to employees: hire, change, suspend, resume, dismiss; transfers apart. Refusals first."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chassis import audit, clock, creation, guard, ids, masks
from chassis.call import Call
from identity import days
from identity.employee import facts, people, queries
from identity.employee.model import Employee
from identity.post import granting, tenure_days, tenure_queries, tenures
from identity.post import holding_queries as holdings
from identity.refusals import refuse
from identity.session import rights
from identity.unit import queries as units
from tongxiao.identity.v1 import employee_pb2 as pb

_DAY = timedelta(days=1)
_LEFT, _SUSPENDED, _ACTIVE = pb.EMPLOYEE_STATE_LEFT, pb.EMPLOYEE_STATE_SUSPENDED, pb.EMPLOYEE_STATE_ACTIVE


def hire(call: Call, *, employee_id: UUID | None, given: Mapping[str, Any], unit_id: UUID | None) -> Employee:
    """Hire somebody, looked after by a unit the caller governs: theirs where none is named.

    The same again answers the employee as they are. Refuses UNIT_UNKNOWN, UNIT_CLOSED, UNIT_BEYOND_REACH, NUMBER_TAKEN,
    USERNAME_TAKEN, EMAIL_TAKEN, MOBILE_INVALID, NUMBER_TOO_SHORT, ALREADY_EXISTS and ID_TAKEN.
    """
    session = call.session
    values, find, taken = facts.checked(given, number=given["number"]), queries.find_employee, queries.is_taken
    wanted = {name: value for name, value in values.items() if value or name != "hire_on"}
    if existing := creation.repeated(session, employee_id, wanted, find=find, taken=taken, field="employee.id"):
        return existing
    home = _home(call, unit_id)
    values["hire_on"] = values["hire_on"] or clock.today(units.zone_of(session, home))
    made = build(employee_id or ids.new_id(), values, unit_id=home)
    session.add(made)
    people.announce(session, [made.id])
    return made


def build(employee_id: UUID, values: Mapping[str, Any], *, unit_id: UUID) -> Employee:
    """An employee at work, of checked values, not yet kept."""
    now = clock.now()
    return Employee(
        id=employee_id,
        version=1,
        told_version=0,
        created_at=now,
        updated_at=now,
        state=_ACTIVE,
        leave_on=None,
        keycloak_id=None,
        unit_id=unit_id,
        **values,
    )


def update(call: Call, *, employee_id: UUID, etag: str, changes: Mapping[str, Any]) -> Employee:
    """Change an employee's record.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, NUMBER_TAKEN, USERNAME_TAKEN, EMAIL_TAKEN, MOBILE_INVALID,
    NUMBER_TOO_SHORT, and TENURE_BEFORE_HIRE a day of hiring after tenures there are.
    """
    session = call.session
    employee = changeable(call, employee_id, etag)
    for name, value in facts.checked(changes, number=changes.get("number", employee.number)).items():
        setattr(employee, name, value or (employee.hire_on if name == "hire_on" else value))
    if session.is_modified(employee):
        employee.updated_at = clock.now()
        if "hire_on" in changes:
            tenure_days.demand_all_hired(session, employee)
        people.announce(session, [employee.id])
    return employee


def suspend(call: Call, *, employee_id: UUID, note: str, etag: str) -> Employee:
    """Keep somebody out, everywhere, within seconds; one suspended before stays so.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, NOT_ONESELF and EMPLOYEE_NOT_ACTIVE.
    """
    employee = changeable(call, employee_id, etag)
    _demand_other(call, employee_id)
    if employee.state == _LEFT:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    return _put(call, employee, _SUSPENDED, note=note)


def resume(call: Call, *, employee_id: UUID, etag: str) -> Employee:
    """Let a suspended employee work again. Refuses as suspending does."""
    employee = changeable(call, employee_id, etag)
    _demand_other(call, employee_id)
    if employee.state == _LEFT:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    return _put(call, employee, _ACTIVE, note="")


def dismiss(call: Call, *, employee_id: UUID, leave_date: str, note: str, etag: str) -> Employee:
    """Record somebody's last day and end their tenures with it; yesterday ends everything at once.

    Who leaves before the day of hiring never came: what they were to hold is called off. Refuses NOT_FOUND,
    OUT_OF_REACH, VERSION_MISMATCH, NOT_ONESELF, EMPLOYEE_NOT_ACTIVE, DATE_INVALID, DATES_REVERSED a day given that lies
    even before the eve of hiring, and TENURE_BEGAN_LATER a day that would leave nothing of a tenure that has begun.
    """
    employee = changeable(call, employee_id, etag)
    _demand_other(call, employee_id)
    if employee.state == _LEFT:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    today = clock.today(units.zone_of(call.session, employee.unit_id))
    last = days.checked_day(leave_date, field="leave_date") or today - _DAY
    if leave_date and last < employee.hire_on - _DAY:
        raise refuse("DATES_REVERSED", field="leave_date", hire_date=employee.hire_on)
    employee.leave_on = last
    _leave_posts(call, employee, last)
    state = _LEFT if last < today else employee.state
    return _put(call, employee, state, note=note)


def demand_reset(call: Call, *, employee_id: UUID) -> Employee:
    """The employee, for whom the caller may set a password: nobody takes over an account with rights beyond theirs.

    Refuses NOT_FOUND, OUT_OF_REACH, EMPLOYEE_NOT_ACTIVE, UNIT_BEYOND_REACH and NOT_GRANTABLE.
    """
    employee = changeable(call, employee_id, "*")
    if employee.state == _LEFT:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    for holding in holdings.of_people(call.session, [employee_id]):
        granting.demand_post(call, holding.post, holding.role)
    return employee


def changeable(call: Call, employee_id: UUID, etag: str) -> Employee:
    """The employee, whose record the caller may change. Refuses NOT_FOUND, OUT_OF_REACH and VERSION_MISMATCH."""
    employee = queries.get_employee(call.session, employee_id)
    guard.demand(call.session, employee)
    masks.check_etag(etag, employee.version)
    return employee


def _leave_posts(call: Call, employee: Employee, last: date) -> None:
    held = tenure_queries.reaching(call.session, employee.id, last + _DAY)
    tenure_days.demand_begun_before(call.session, held, last + _DAY, field="leave_date")
    for tenure in tenure_queries.end_all(call.session, employee.id, last):
        audit.record(call.session, call.rpc.name, tenure, {"end_on": tenure.end_on})
        tenures.note(call, employee, tenure)


def _put(call: Call, employee: Employee, state: int, *, note: str) -> Employee:
    """Put an employee into a state; a note goes to the audit trail."""
    employee.state = state
    if call.session.is_modified(employee):
        employee.updated_at = clock.now()
        rights.changed(call.session, [employee.id])
    if note:
        audit.record(call.session, call.rpc.name, employee, {"note": note})
    return employee


def _demand_other(call: Call, employee_id: UUID) -> None:
    if employee_id == call.caller.person_id:
        raise refuse("NOT_ONESELF", field="id")


def _home(call: Call, unit_id: UUID | None) -> UUID:
    """The unit that looks after a new record: the one named, else one that the caller governs."""
    roots = [unit for grant in call.caller.granting(call.rpc.permission) for unit in grant.governs]
    home = unit_id or next(iter(roots), None)
    if home is None:
        raise refuse("UNIT_BEYOND_REACH", field="employee.unit_id")
    units.lock_open_units(call.session, [home], field="employee.unit_id")
    if not units.governs_all(call.session, roots, [home]):
        raise refuse("UNIT_BEYOND_REACH", field="employee.unit_id")
    return home
