"""What happens when a day begins: planned moves, tenures and posts that begin or end, people who have left."""

from sqlalchemy.orm import Session

from chassis import clock
from identity.session import day_queries, rights
from identity.unit import moves
from tongxiao.identity.v1.employee_pb2 import EMPLOYEE_STATE_LEFT


def begin_days(session: Session) -> None:
    """Deal with every day that has begun, in each time zone, since this was last called."""
    moves.apply_due(session)
    for zone in day_queries.zones(session):
        _begin(session, zone)


def _begin(session: Session, zone: str) -> None:
    today, last = clock.today(zone), day_queries.begun_day(session, zone)
    leaving = day_queries.leavers(session, zone, today)
    for employee in leaving:
        employee.state, employee.updated_at = EMPLOYEE_STATE_LEFT, clock.now()
    people = {employee.id for employee in leaving}
    if last and last.day < today:
        people |= day_queries.people_of_boundaries(session, zone, last.day, today)
    rights.changed(session, people)
    day_queries.note_day(session, zone, today)
