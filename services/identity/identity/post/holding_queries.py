"""Who holds what today: tenures and posts that are both valid, in the post's unit's own time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chassis import clock
from identity import days
from identity.employee.model import Employee
from identity.post.model import Post, Tenure
from identity.role.model import Role
from identity.unit.model import Unit
from tongxiao.identity.v1 import employee_pb2
from tongxiao.identity.v1 import post_pb2 as pb

_EXEMPT = {"reach": "rights and reporting lines follow everybody's posts"}


@dataclass(frozen=True)
class Holding:
    """A tenure with its post, role and unit's zone."""

    tenure: Tenure
    post: Post
    role: Role
    zone: str

    @property
    def deputy(self) -> bool:
        return self.tenure.kind == pb.TENURE_KIND_DEPUTY

    @property
    def end_on(self) -> date | None:
        """The last day of both tenure and post, if either has one."""
        return min((day for day in (self.tenure.end_on, self.post.end_on) if day), default=None)

    @property
    def until(self) -> datetime | None:
        """The instant at which it is over."""
        return clock.end_of_day(self.end_on, self.zone) if self.end_on else None


def of_people(session: Session, employee_ids: Iterable[UUID], *, today: bool = True) -> list[Holding]:
    """What people hold today, oldest first; or every tenure there is of them."""
    wanted = (
        select(Tenure, Post, Role, Unit.time_zone)
        .join(Post, Post.id == Tenure.post_id)
        .join(Role, Role.id == Post.role_id)
        .join(Unit, Unit.id == Post.unit_id)
        .where(Tenure.employee_id.in_(set(employee_ids)))
        .order_by(Tenure.start_on, Tenure.id)
    )
    if today:
        day = days.today_in(Unit.time_zone)
        wanted = wanted.where(days.valid_on(Tenure, day), days.valid_on(Post, day))
    return [Holding(*row) for row in session.execute(wanted, execution_options=_EXEMPT)]


def holders_of_role(session: Session, role_id: UUID) -> set[UUID]:
    """Who holds a post with this role today."""
    return set(session.scalars(_valid_today().where(Post.role_id == role_id), execution_options=_EXEMPT))


def holders_of_post(session: Session, post_id: UUID) -> set[UUID]:
    """Who holds this post today, as holder or deputy, or would if the post were valid."""
    day = days.today_in(Unit.time_zone)
    wanted = select(Tenure.employee_id).join(Post, Post.id == Tenure.post_id).join(Unit, Unit.id == Post.unit_id)
    wanted = wanted.where(Post.id == post_id, days.valid_on(Tenure, day))
    return set(session.scalars(wanted, execution_options=_EXEMPT))


def acting_for(session: Session, post_id: UUID) -> list[UUID]:
    """Who acts for a post today: its holders at work, else its deputies at work."""
    wanted = _valid_today().add_columns(Tenure.kind).where(Post.id == post_id)
    wanted = wanted.where(Employee.state == employee_pb2.EMPLOYEE_STATE_ACTIVE).order_by(Tenure.start_on, Tenure.id)
    found = session.execute(wanted, execution_options=_EXEMPT).all()
    holders = [row[0] for row in found if row[1] == pb.TENURE_KIND_HOLDER]
    return list(dict.fromkeys(holders or [row[0] for row in found]))


def _valid_today() -> Select[Any]:
    """Who holds what: employees by tenures and posts that are valid today."""
    day = days.today_in(Unit.time_zone)
    return (
        select(Tenure.employee_id)
        .join(Post, Post.id == Tenure.post_id)
        .join(Unit, Unit.id == Post.unit_id)
        .join(Employee, Employee.id == Tenure.employee_id)
        .where(days.valid_on(Tenure, day), days.valid_on(Post, day))
    )
