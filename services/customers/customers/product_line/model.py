"""Product lines: each customer has an owner per line."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Versioned
from chassis.reach import Reach, Unscoped
from customers.base import Base
from tongxiao.customers.v1 import product_line_pb2 as pb


class ProductLine(Versioned, Base):
    """A product line 业务线. A retired one takes no new assignments."""

    __tablename__ = "product_lines"
    __audit__ = "product_line"
    __audit_message__ = pb.ProductLine
    __reach__ = Reach(read=Unscoped("the list of product lines is the same for the whole company"))
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    retired: Mapped[bool]
