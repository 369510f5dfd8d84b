"""What people were told of customers and registrations beyond their reach."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.ids import new_id
from chassis.reach import Owned, Reach
from customers.base import Base
from tongxiao.customers.v1 import join_request_pb2 as pb

# What asks for no more than the answer tells; the trail shows these columns to nobody.
_UNTOLD = {"derived": True}


class DuplicateAnswer(Base):
    """An answer that named a unit: to whom, where they asked, for what. The same counts once a day."""

    __tablename__ = "duplicate_answers"
    __audit__ = "duplicate_check"
    __audit_message__ = pb.AskToJoinRequest
    __reach__ = Reach(read=Owned(owner="person_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    day: Mapped[date]
    credit_code: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    division_code: Mapped[str] = mapped_column(default="")
    told_unit_id: Mapped[UUID]
    customer_id: Mapped[UUID | None] = mapped_column(info=_UNTOLD)
    registration_id: Mapped[UUID | None] = mapped_column(info=_UNTOLD)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (
        Index(
            "uq_duplicate_answers_asked",
            *("person_id", "day", "credit_code", "phone", "name", "division_code"),
            unique=True,
        ),
    )
