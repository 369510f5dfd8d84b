"""Every select of what begins or ends with a day."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.employee.model import Employee
from identity.post.model import Post, Tenure
from identity.session.model import BegunDay
from identity.unit.model import Unit
from tongxiao.identity.v1.employee_pb2 import EMPLOYEE_STATE_LEFT

_DAY = timedelta(days=1)


def zones(session: Session) -> Sequence[str]:
    """The time zones that units are in."""
    return session.scalars(select(Unit.time_zone).distinct().order_by(Unit.time_zone)).all()


def begun_day(session: Session, zone: str) -> BegunDay | None:
    """The day last dealt with in a zone, locked."""
    return session.scalars(select(BegunDay).where(BegunDay.zone == zone).with_for_update()).one_or_none()


def note_day(session: Session, zone: str, day: date) -> None:
    statement = insert(BegunDay).values(zone=zone, day=day)
    session.execute(statement.on_conflict_do_update(index_elements=["zone"], set_={"day": day}))


def people_of_boundaries(session: Session, zone: str, after: date, until: date) -> set[UUID]:
    """Whose tenure or post began, or was over, on one of the days after one day, up to another, in a zone."""
    wanted = (
        select(Tenure.employee_id)
        .join(Post, Post.id == Tenure.post_id)
        .join(Unit, Unit.id == Post.unit_id)
        .where(Unit.time_zone == zone)
        .where(or_(_within(Tenure, after, until), _within(Post, after, until)))
    )
    return set(session.scalars(wanted))


def leavers(session: Session, zone: str, today: date) -> Sequence[Employee]:
    """Who has had their last day, by their home unit's zone, and still counts as employed."""
    wanted = select(Employee).join(Unit, Unit.id == Employee.unit_id).where(Unit.time_zone == zone)
    return session.scalars(wanted.where(Employee.leave_on < today, Employee.state != EMPLOYEE_STATE_LEFT)).all()


def _within(row: type[Tenure] | type[Post], after: date, until: date) -> ColumnElement[bool]:
    """Whether the first day, or the day after the last, is one of these."""
    begins = (row.start_on > after) & (row.start_on <= until)
    return begins | ((row.end_on >= after) & (row.end_on <= until - _DAY))
