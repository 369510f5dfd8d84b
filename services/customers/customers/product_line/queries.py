"""Every select of product lines."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.product_line.model import ProductLine
from customers.refusals import refuse


def find_line(session: Session, line_id: UUID) -> ProductLine | None:
    return session.scalars(select(ProductLine).where(ProductLine.id == line_id)).one_or_none()


def get_line(session: Session, line_id: UUID) -> ProductLine:
    found = find_line(session, line_id)
    if found is None:
        raise refuse("NOT_FOUND")
    return found


def all_lines(session: Session) -> Sequence[ProductLine]:
    """The product lines by code; a company has a handful."""
    return session.scalars(select(ProductLine).order_by(ProductLine.code)).all()
