"""Every select of posts."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from identity import days
from identity.employee.model import Employee
from identity.post.model import Post, PostUnit, Tenure
from identity.refusals import refuse
from identity.role.model import Role
from identity.unit import queries as units
from identity.unit.model import Unit
from tongxiao.common.v1.permission_pb2 import PERMISSION_POST_READ
from tongxiao.identity.v1 import employee_pb2
from tongxiao.identity.v1 import post_pb2 as pb

READ = PERMISSION_POST_READ
ORDER = Order("code", "code")
_KNOWN = {"reach": "whether a post named by the caller exists"}
_GRANTS = {"reach": "what posts let their holders grant"}
_EMPTY = {"reach": "whether a unit is empty"}


def find_post(session: Session, post_id: UUID) -> Post | None:
    """The post, if the caller may read it."""
    return session.scalars(select(Post).where(Post.id == post_id)).one_or_none()


def get_post(session: Session, post_id: UUID) -> Post:
    found = find_post(session, post_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def is_taken(session: Session, post_id: UUID) -> bool:
    return session.scalar(select(Post.id).where(Post.id == post_id), execution_options=_KNOWN) is not None


def known_posts(session: Session, post_ids: Iterable[UUID]) -> dict[UUID, Post]:
    """Posts by id, within reach or beyond."""
    found = session.scalars(select(Post).where(Post.id.in_(set(post_ids))), execution_options=_KNOWN)
    return {post.id: post for post in found}


def list_posts(call: Call, request: pb.ListPostsRequest) -> tuple[Sequence[Post], str]:
    """A page of posts within reach, by code."""
    cursor = paging.Cursor(call, request, ORDER)
    wanted = select(Post)
    if request.unit_id:
        wanted = wanted.where(Post.unit_id.in_(units.below(call.session, UUID(request.unit_id))))
    if request.role_id:
        wanted = wanted.where(Post.role_id == UUID(request.role_id))
    if request.vacant:
        wanted = wanted.where(Post.id.in_(_vacant_today()))
    if request.query:
        places = (Post.code, Post.name, Post.name_en)
        wanted = wanted.where(or_(*(place.icontains(request.query, autoescape=True) for place in places)))
    return cursor.page(call.session, wanted, Post)


def vacant_among(session: Session, post_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the posts that are valid today and that nobody at work holds."""
    return set(session.scalars(_vacant_today(set(post_ids)), execution_options={"reach": "vacancies"}))


def _vacant_today(post_ids: Iterable[UUID] | None = None) -> Select[Any]:
    """The posts valid today, or those of these, without a holder at work, seen by the caller or not."""
    tables: Any = (each.__table__.alias() for each in (Post, Unit, Tenure, Employee))
    post, unit, tenure, employee = tables
    today = days.today_in(unit.c.time_zone)
    held = select(1).select_from(tenure.join(employee, employee.c.id == tenure.c.employee_id))
    held = held.where(tenure.c.post_id == post.c.id, tenure.c.kind == pb.TENURE_KIND_HOLDER)
    held = held.where(employee.c.state == employee_pb2.EMPLOYEE_STATE_ACTIVE, days.valid_on(tenure.c, today))
    vacant = select(post.c.id).select_from(post.join(unit, unit.c.id == post.c.unit_id))
    vacant = vacant.where(days.valid_on(post.c, today), ~held.exists())
    return vacant if post_ids is None else vacant.where(post.c.id.in_(post_ids))


def grantable_by(session: Session, post_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """What the holders of posts may pass on."""
    wanted = select(Post.id, Role.grantable_permissions).join(Role, Role.id == Post.role_id)
    found = session.execute(wanted.where(Post.id.in_(set(post_ids))), execution_options=_GRANTS)
    return {post_id: frozenset(names) for post_id, names in found}


def by_code(session: Session, code: str) -> Post | None:
    """The post with a code, if the caller may read it."""
    return session.scalars(select(Post).where(Post.code == code)).one_or_none()


def of_unit(session: Session, unit_id: UUID, *, name: str = "", role_id: UUID | None = None) -> Sequence[Post]:
    """The posts of a unit that the caller may read, of a name and a role where these are given, by code."""
    wanted = select(Post).where(Post.unit_id == unit_id).order_by(Post.code)
    if name:
        wanted = wanted.where(or_(Post.name == name, Post.name_en == name))
    if role_id:
        wanted = wanted.where(Post.role_id == role_id)
    return session.scalars(wanted).all()


def unheld_from(session: Session, post_ids: Iterable[UUID], day: date) -> set[UUID]:
    """Those of the posts that nobody holds on a day or later."""
    wanted = set(post_ids)
    held = select(Tenure.post_id).where(Tenure.post_id.in_(wanted), Tenure.kind == pb.TENURE_KIND_HOLDER)
    held = held.where(or_(Tenure.end_on.is_(None), and_(Tenure.end_on >= day, Tenure.end_on >= Tenure.start_on)))
    return wanted - set(session.scalars(held, execution_options={"reach": "vacancies"}))


def count_valid(session: Session, unit_id: UUID, day: date) -> int:
    """How many posts belong to a unit on a day or later."""
    wanted = select(func.count()).select_from(Post).where(Post.unit_id == unit_id)
    wanted = wanted.where(or_(Post.end_on.is_(None), Post.end_on >= day))
    return session.scalar(wanted, execution_options=_EMPTY) or 0


def was_ever_held(session: Session, post_id: UUID) -> bool:
    """Whether somebody has held a post or is to; what was called off before it began does not count."""
    served = or_(Tenure.end_on.is_(None), Tenure.end_on >= Tenure.start_on)
    wanted = select(exists().where(Tenure.post_id == post_id, served))
    return bool(session.scalar(wanted, execution_options={"reach": "whether a post was ever held"}))


def open_stretch(session: Session, post_id: UUID) -> PostUnit:
    """Since when a post has belonged to its unit."""
    wanted = select(PostUnit).where(PostUnit.post_id == post_id, PostUnit.end_on.is_(None))
    return session.scalars(wanted).one()


def stretches_of(session: Session, post_ids: Iterable[UUID]) -> Sequence[PostUnit]:
    """Which units posts have belonged to."""
    wanted = select(PostUnit).where(PostUnit.post_id.in_(set(post_ids)))
    return session.scalars(wanted, execution_options={"reach": "units of posts that were read"}).all()


def role_in_use(session: Session, role_id: UUID) -> bool:
    wanted = select(exists().where(Post.role_id == role_id))
    return bool(session.scalar(wanted, execution_options={"reach": "whether posts use a role"}))
