"""What is done to tenures: appoint, end. Refusals first."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import audit, clock, creation, guard, ids, masks
from chassis.call import Call
from identity import days
from identity.employee import queries as employees
from identity.employee.model import Employee
from identity.post import granting, queries, tenure_days, tenure_queries
from identity.post.model import Post, Tenure
from identity.refusals import refuse
from identity.role import queries as roles
from identity.session import rights
from identity.unit import queries as units

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A tenure as asked for: without first day from today on, without last day without end."""

    post_id: UUID
    employee_id: UUID
    kind: int
    start_on: date | None
    end_on: date | None
    main: bool


def create_tenure(call: Call, *, tenure_id: UUID | None, wanted: Wanted) -> Tenure:
    """Appoint somebody to a post that the caller might have made; late entries may lie in the past.

    Refuses POST_UNKNOWN, EMPLOYEE_UNKNOWN, EMPLOYEE_NOT_ACTIVE, NOT_ONESELF, UNIT_BEYOND_REACH, NOT_GRANTABLE,
    DEPUTY_NEEDS_END, DATES_REVERSED, TENURE_BEFORE_HIRE, POST_NOT_VALID, TENURE_OVERLAPS, MAIN_TENURE_OVERLAPS,
    ALREADY_EXISTS and ID_TAKEN; OUT_OF_REACH a main post for somebody whose record the caller could not change.
    """
    session = call.session
    find, taken = tenure_queries.find_tenure, tenure_queries.is_taken
    given = {name: value for name, value in asdict(wanted).items() if value or name != "start_on"}
    if existing := creation.repeated(session, tenure_id, given, find=find, taken=taken, field="tenure.id"):
        return existing
    post = queries.find_post(session, wanted.post_id)
    if post is None:
        raise refuse("POST_UNKNOWN", field="tenure.post_id")
    employee = employees.known_employee(session, wanted.employee_id)
    if employee is None:
        raise refuse("EMPLOYEE_UNKNOWN", field="tenure.employee_id")
    zone = units.zone_of(session, post.unit_id)
    start = wanted.start_on or clock.today(zone)
    tenure_days.check(wanted.kind, start, wanted.end_on, employee=employee)
    tenure_days.demand_hired(session, employee, start, zone, field="tenure.start_date")
    demand_appointable(call, post, employee.id)
    if wanted.main:
        guard.demand_key(session, Employee, employee.id)
    made = begin(session, post, wanted=wanted, start=start, tenure_id=tenure_id)
    note(call, employee, made)
    rights.changed(session, [employee.id])
    return made


def demand_appointable(call: Call, post: Post, employee_id: UUID) -> None:
    """Refuse NOT_ONESELF, UNIT_BEYOND_REACH and NOT_GRANTABLE somebody whom the caller may not appoint to a post."""
    if employee_id == call.caller.person_id:
        raise refuse("NOT_ONESELF", field="tenure.employee_id")
    granting.demand_post(call, post, roles.get_role(call.session, post.role_id))


def begin(session: Session, post: Post, *, wanted: Wanted, start: date, tenure_id: UUID | None = None) -> Tenure:
    """Keep a checked tenure. Refuses POST_NOT_VALID; the database refuses one that overlaps another."""
    if not days.covers(post, start, wanted.end_on):
        raise refuse("POST_NOT_VALID", field="tenure.start_date")
    made = Tenure(
        id=tenure_id or ids.new_id(),
        post_id=post.id,
        employee_id=wanted.employee_id,
        kind=wanted.kind,
        start_on=start,
        end_on=wanted.end_on,
        main=wanted.main,
        version=1,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def end_tenure(call: Call, *, tenure_id: UUID, end_date: str, etag: str) -> Tenure:
    """End a tenure after a day; yesterday ends it at once, and calls it off where it has not begun.

    Refuses NOT_FOUND, OUT_OF_REACH, VERSION_MISMATCH, DATE_INVALID and DATES_REVERSED; a later end than before is an
    appointment, and refused like one.
    """
    session = call.session
    tenure = tenure_queries.find_tenure(session, tenure_id)
    if tenure is None:
        raise refuse("NOT_FOUND")
    guard.demand(session, tenure)
    masks.check_etag(etag, tenure.version)
    post = queries.known_posts(session, [tenure.post_id])[tenure.post_id]
    last = days.checked_day(end_date, field="end_date") or clock.today(units.zone_of(session, post.unit_id)) - _DAY
    if end_date and last < tenure.start_on - _DAY:
        raise refuse("DATES_REVERSED", field="end_date")
    if tenure.end_on and last > tenure.end_on:
        demand_appointable(call, post, tenure.employee_id)
        if not days.covers(post, tenure.start_on, last):
            raise refuse("POST_NOT_VALID", field="end_date")
        tenure.end_on = last
    else:
        cut(tenure, last)
    session.flush()
    if employee := employees.known_employee(session, tenure.employee_id):
        note(call, employee, tenure)
    rights.changed(session, [tenure.employee_id])
    return tenure


def cut(tenure: Tenure, last: date) -> None:
    """Have a tenure end after a day unless it ends before; one that would only begin later is called off."""
    tenure.end_on = min(tenure.end_on or date.max, max(last, tenure.start_on - _DAY))


def note(call: Call, employee: Employee, tenure: Tenure) -> None:
    """Have the trail of the employee, too, tell of a tenure that was begun, ended or called off."""
    told = {"tenure_id": tenure.id, "post_id": tenure.post_id, "main": tenure.main}
    span = {"start_date": tenure.start_on, "end_date": tenure.end_on}
    audit.record(call.session, call.rpc.name, employee, {**told, **span})
