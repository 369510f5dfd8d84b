"""Every select of product lines."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from customers.product_line.model import ProductLine
from customers.refusals import refuse
from tongxiao.customers.v1 import product_line_pb2 as pb

ORDER = Order("code", "code")
_LINES = ProductLine.__table__.c
_RETIRED = select(_LINES.retired).where(_LINES.id == bindparam("line_id", type_=Uuid()))


def find_line(session: Session, line_id: UUID) -> ProductLine | None:
    return session.scalars(select(ProductLine).where(ProductLine.id == line_id)).one_or_none()


def get_line(session: Session, line_id: UUID) -> ProductLine:
    found = find_line(session, line_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def list_lines(call: Call, request: pb.ListProductLinesRequest) -> tuple[Sequence[ProductLine], str]:
    """A page of the product lines, by code."""
    return paging.Cursor(call, request, ORDER).page(call.session, select(ProductLine), ProductLine)


def all_lines(session: Session) -> Sequence[ProductLine]:
    """Every product line by code, for matching what a file names; a company has a handful."""
    return session.scalars(select(ProductLine).order_by(ProductLine.code)).all()


def demand_open(session: Session, line_id: UUID, *, field: str) -> None:
    """Refuse a line for new business: LINE_UNKNOWN (NOT_YET_KNOWN one made a moment ago) and LINE_RETIRED."""
    retired = session.scalar(_RETIRED, {"line_id": line_id}, execution_options={"reach": "lines are everybody's"})
    if retired is None:
        raise refuse.unknown("LINE_UNKNOWN", line_id, field=field)
    if retired:
        raise refuse("LINE_RETIRED", field=field)
