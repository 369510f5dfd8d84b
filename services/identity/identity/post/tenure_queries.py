"""Every select of tenures."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from chassis.reach import uuids
from identity import days
from identity.post import queries as posts
from identity.post.model import Post, PostUnit, Tenure
from identity.unit import queries as units
from tongxiao.identity.v1 import post_pb2 as pb

ORDER = Order("start", "start_on", descending=True)
_KNOWN = {"reach": "whether a tenure's id is taken; no more is said"}
_LEAVING = {"reach": "who may let somebody go ends all that they hold, wherever the posts are"}


def find_tenure(session: Session, tenure_id: UUID) -> Tenure | None:
    """The tenure, if the caller may read its post."""
    return session.scalars(select(Tenure).where(Tenure.id == tenure_id)).one_or_none()


def is_taken(session: Session, tenure_id: UUID) -> bool:
    return session.scalar(select(Tenure.id).where(Tenure.id == tenure_id), execution_options=_KNOWN) is not None


def of_post(session: Session, post_id: UUID) -> Sequence[Tenure]:
    """All tenures of a post that the caller may read."""
    return session.scalars(select(Tenure).where(Tenure.post_id == post_id)).all()


def main_from(session: Session, employee_id: UUID, day: date) -> Sequence[Tenure]:
    """A person's main tenures that reach a day or lie after it, without those that were called off."""
    wanted = select(Tenure).where(Tenure.employee_id == employee_id, Tenure.main, _reaching(day), _not_called_off())
    return session.scalars(wanted, execution_options={"reach": "the main post somebody is transferred from"}).all()


def reaching(session: Session, employee_id: UUID, day: date) -> Sequence[Tenure]:
    """All of a person's tenures that reach a day or lie after it."""
    wanted = select(Tenure).where(Tenure.employee_id == employee_id, _reaching(day))
    return session.scalars(wanted, execution_options=_LEAVING).all()


def end_all(session: Session, employee_id: UUID, last: date) -> Sequence[Tenure]:
    """End a person's tenures after a day, and call off those that would begin later; the ones that changed."""
    ends = func.greatest(last, Tenure.start_on - 1)
    statement = update(Tenure).where(Tenure.employee_id == employee_id, _reaching(last + timedelta(days=1)))
    statement = statement.values(end_on=ends, version=Tenure.version + 1).returning(Tenure)
    options = {**_LEAVING, "populate_existing": True}
    return session.scalars(statement, execution_options=options).all()


def list_tenures(call: Call, request: pb.ListTenuresRequest) -> tuple[Sequence[Tenure], str]:
    """A page of tenures within reach, latest first. Refuses DATE_INVALID."""
    cursor = paging.Cursor(call, request, ORDER)
    day = days.checked_day(request.on_date, field="on_date")
    wanted = select(Tenure).where(_not_called_off())
    if request.post_id:
        wanted = wanted.where(Tenure.post_id == UUID(request.post_id))
    if request.employee_id:
        wanted = wanted.where(Tenure.employee_id == UUID(request.employee_id))
    if day:
        wanted = wanted.where(days.valid_on(Tenure, day))
    if request.unit_id:
        inside = posts_inside(call.session, UUID(request.unit_id), day)
        wanted = wanted.where(Tenure.post_id == func.any(uuids(inside)))
    return cursor.page(call.session, wanted, Tenure)


def units_of(session: Session, found: Iterable[Tenure], day: date | None) -> dict[UUID, UUID]:
    """The unit that each tenure's post belonged to on a day; where none is given, on the tenure's last, or now."""
    tenures = list(found)
    stretches = posts.stretches_of(session, [tenure.post_id for tenure in tenures])
    return {
        tenure.id: stretch.unit_id
        for tenure in tenures
        for stretch in stretches
        if stretch.post_id == tenure.post_id and _holds(stretch, day or tenure.end_on)
    }


def posts_inside(session: Session, unit_id: UUID, day: date | None) -> set[UUID]:
    """The posts that belonged to a unit or one below it on a day, by that day's tree; today where none is given."""
    if day is None:
        return set(session.scalars(select(Post.id).where(Post.unit_id.in_(units.below(session, unit_id)))))
    inside = units.below_on(session, unit_id, day)
    placed = select(PostUnit.post_id).where(PostUnit.unit_id == func.any(uuids(inside)), days.valid_on(PostUnit, day))
    return set(session.scalars(placed, execution_options={"reach": "units of posts, to narrow a list by"}))


def _holds(stretch: PostUnit, day: date | None) -> bool:
    return days.is_valid(stretch, day) if day else stretch.end_on is None


def _reaching(day: date) -> ColumnElement[bool]:
    return or_(Tenure.end_on.is_(None), Tenure.end_on >= day)


def _not_called_off() -> ColumnElement[bool]:
    return or_(Tenure.end_on.is_(None), Tenure.end_on >= Tenure.start_on)
