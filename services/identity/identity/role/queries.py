"""Every select of roles."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from identity.refusals import refuse
from identity.role.model import Role
from tongxiao.identity.v1 import role_pb2 as pb

ORDER = Order("code", "code")


def find_role(session: Session, role_id: UUID) -> Role | None:
    wanted = select(Role).where(Role.id == role_id)
    return session.scalars(wanted, execution_options={"reach": "roles are the same for everybody"}).one_or_none()


def get_role(session: Session, role_id: UUID) -> Role:
    found = find_role(session, role_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def called(session: Session, name: str) -> Sequence[UUID]:
    """The ids of roles with a code, else of those with a name in either language."""
    wanted = select(Role.id, Role.code).where(or_(Role.code == name, Role.name == name, Role.name_en == name))
    found = session.execute(wanted, execution_options={"reach": "roles are the same for everybody"}).all()
    return [row.id for row in found if row.code == name] or [row.id for row in found]


def list_roles(call: Call, request: pb.ListRolesRequest) -> tuple[Sequence[Role], str]:
    """A page of roles by code."""
    return paging.Cursor(call, request, ORDER).page(call.session, select(Role), Role)
