"""The days a tenure may have, by what its employee's record says and by what was served already."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy.orm import Session

from chassis import clock
from identity import days
from identity.employee.model import Employee
from identity.post import holding_queries as holdings
from identity.post import queries
from identity.post.model import Tenure
from identity.refusals import refuse
from identity.unit import queries as units
from tongxiao.identity.v1 import employee_pb2
from tongxiao.identity.v1 import post_pb2 as pb

_DAY = timedelta(days=1)


def check(kind: int, start: date, end: date | None, *, employee: Employee) -> None:
    """Refuse DEPUTY_NEEDS_END, DATES_REVERSED, and EMPLOYEE_NOT_ACTIVE days on which the employee is gone."""
    if kind == pb.TENURE_KIND_DEPUTY and end is None:
        raise refuse("DEPUTY_NEEDS_END", field="tenure.end_date")
    days.checked_span(start, end, field="tenure.end_date")
    leaves = employee.state == employee_pb2.EMPLOYEE_STATE_LEFT or employee.leave_on is not None
    if leaves and not (end and employee.leave_on and end <= employee.leave_on):
        raise refuse("EMPLOYEE_NOT_ACTIVE", field="tenure.employee_id")


def demand_hired(session: Session, employee: Employee, start: date, zone: str, *, field: str) -> None:
    """Refuse TENURE_BEFORE_HIRE a tenure whose first day, in its post's zone, is over before the day of hiring begins.

    The day of hiring is the home unit's: at one moment it may be another day where the post is.
    """
    ahead = employee.hire_on - start
    over_before = ahead == _DAY and _is_over(start, zone, employee.hire_on, units.zone_of(session, employee.unit_id))
    if ahead > _DAY or over_before:
        raise refuse("TENURE_BEFORE_HIRE", field=field, hire_date=employee.hire_on)


def demand_all_hired(session: Session, employee: Employee) -> None:
    """Refuse TENURE_BEFORE_HIRE a day of hiring after which tenures there are would have begun."""
    for held in holdings.of_people(session, [employee.id], today=False):
        if not _called_off(held.tenure):
            demand_hired(session, employee, held.tenure.start_on, held.zone, field="employee.hire_date")


def demand_begun_before(session: Session, tenures: Iterable[Tenure], day: date, *, field: str) -> None:
    """Refuse TENURE_BEGAN_LATER, naming the first day, if one of the tenures has begun, but not before this day."""
    for tenure in tenures:
        post = queries.known_posts(session, [tenure.post_id])[tenure.post_id]
        begun = tenure.start_on < clock.today(units.zone_of(session, post.unit_id))
        if begun and tenure.start_on >= day and not _called_off(tenure):
            raise refuse("TENURE_BEGAN_LATER", field=field, start_date=tenure.start_on, post_id=tenure.post_id)


def _called_off(tenure: Tenure) -> bool:
    return tenure.end_on is not None and tenure.end_on < tenure.start_on


def _is_over(day: date, zone: str, later: date, later_zone: str) -> bool:
    return clock.end_of_day(day, zone) <= clock.start_of_day(later, later_zone)
