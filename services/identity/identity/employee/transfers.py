"""Transfers 调岗: from a day on, somebody's main post is another. Refusals first."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, guard
from chassis.call import Call
from identity import days
from identity.employee.model import Employee
from identity.employee.operations import changeable
from identity.post import queries as posts
from identity.post import tenure_days, tenure_queries, tenures
from identity.post.model import Post, Tenure
from identity.refusals import refuse
from identity.session import rights
from identity.unit import queries as units
from tongxiao.identity.v1.employee_pb2 import EMPLOYEE_STATE_LEFT
from tongxiao.identity.v1.post_pb2 import TENURE_KIND_HOLDER

_DAY = timedelta(days=1)


def transfer(
    call: Call, *, employee_id: UUID, post_id: UUID, effective_date: str, replace_planned: bool, etag: str
) -> Employee:
    """Have somebody's main post be this one from a day on: the main tenure ends, and another begins.

    Who holds it by then goes on in it; where that was to be anyway, nothing changes. Refuses NOT_FOUND, OUT_OF_REACH,
    VERSION_MISMATCH, EMPLOYEE_NOT_ACTIVE, POST_UNKNOWN, NOT_ONESELF, UNIT_BEYOND_REACH, NOT_GRANTABLE, DATE_INVALID,
    TENURE_BEFORE_HIRE, POST_NOT_VALID, TENURE_OVERLAPS, MAIN_TENURE_OVERLAPS, TENURE_BEGAN_LATER a day that would leave
    nothing of a tenure that has begun, and TRANSFER_PLANNED, naming the day, where a planned main post would be lost
    that is not to be replaced.
    """
    session = call.session
    employee = changeable(call, employee_id, etag)
    if employee.state == EMPLOYEE_STATE_LEFT or employee.leave_on:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    post = _post(call, post_id)
    tenures.demand_appointable(call, post, employee_id)
    zone = units.zone_of(session, post.unit_id)
    day = days.checked_day(effective_date, field="effective_date") or clock.today(zone)
    tenure_days.demand_hired(session, employee, day, zone, field="effective_date")
    if not days.covers(post, day, post.end_on):
        raise refuse("POST_NOT_VALID", field="post_id")
    found = tenure_queries.main_from(session, employee_id, day)
    held = next((each for each in found if _holds(each, post, day)), None)
    if held and len(found) == 1 and held.end_on in (None, post.end_on):
        return employee
    _leave(call, employee, [each for each in found if each is not held], day, replace_planned=replace_planned)
    tenures.note(call, employee, _goes_on(session, held, post) if held else _begun(session, employee, post, day))
    employee.updated_at = clock.now()
    rights.changed(session, [employee_id])
    return employee


def _holds(tenure: Tenure, post: Post, day: date) -> bool:
    return (tenure.post_id, tenure.kind) == (post.id, TENURE_KIND_HOLDER) and days.is_valid(tenure, day)


def _goes_on(session: Session, held: Tenure, post: Post) -> Tenure:
    held.end_on = post.end_on
    session.flush()
    return held


def _begun(session: Session, employee: Employee, post: Post, day: date) -> Tenure:
    wanted = tenures.Wanted(
        post_id=post.id, employee_id=employee.id, kind=TENURE_KIND_HOLDER, start_on=day, end_on=post.end_on, main=True
    )
    return tenures.begin(session, post, wanted=wanted, start=day)


def _post(call: Call, post_id: UUID) -> Post:
    with call.reading_as(posts.READ):
        post = posts.find_post(call.session, post_id)
    if post is None:
        raise refuse("POST_UNKNOWN", field="post_id")
    return post


def _leave(call: Call, employee: Employee, held: Sequence[Tenure], day: date, *, replace_planned: bool) -> None:
    """End main tenures with the day before, and call off those that would begin later. Refuses as a transfer does."""
    session = call.session
    tenure_days.demand_begun_before(session, held, day, field="effective_date")
    planned = [each for each in held if each.start_on >= day and _is_to_come(session, each)]
    if planned and not replace_planned:
        first = min(planned, key=lambda each: each.start_on)
        raise refuse("TRANSFER_PLANNED", field="effective_date", start_date=first.start_on, post_id=first.post_id)
    for tenure in held:
        guard.demand(session, tenure)
        tenures.cut(tenure, day - _DAY)
    session.flush()
    for tenure in held:
        tenures.note(call, employee, tenure)


def _is_to_come(session: Session, tenure: Tenure) -> bool:
    """Whether a tenure begins after today, as its post's unit has it."""
    post = posts.known_posts(session, [tenure.post_id])[tenure.post_id]
    return tenure.start_on > clock.today(units.zone_of(session, post.unit_id))
