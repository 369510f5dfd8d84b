"""Requests to join a customer or a registration."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.database import Versioned
from chassis.either import Either
from chassis.reach import Reach, Through
from customers.base import Base
from customers.customer.model import Customer
from customers.registration.model import Registration
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import join_request_pb2 as pb

State = pb.JoinRequestState
PENDING, ACCEPTED = State.JOIN_REQUEST_STATE_PENDING, State.JOIN_REQUEST_STATE_ACCEPTED
DECLINED = State.JOIN_REQUEST_STATE_DECLINED


class JoinRequest(Versioned, Base):
    """A request to join 申请加入: reached through what it asks for. Who asked reaches it by asking for one's own."""

    __tablename__ = "join_requests"
    __audit__ = "join_request"
    __audit_message__ = pb.JoinRequest
    __reach__ = Reach(
        read=Either((Through(lambda: Customer, "customer_id"), Through(lambda: Registration, "registration_id")))
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    registration_id: Mapped[UUID | None] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    note: Mapped[str]
    state: Mapped[int] = mapped_column(SmallInteger, default=PENDING)
    level: Mapped[int] = mapped_column(SmallInteger, default=customer_pb2.SHARE_LEVEL_UNSPECIFIED)
    end_on: Mapped[date | None]
    answer_note: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    __table_args__ = (
        CheckConstraint("customer_id IS NOT NULL OR registration_id IS NOT NULL", name="target"),
        Index("ix_join_requests_person_id", "person_id", "created_at", "id"),
        Index("ix_join_requests_customer_id", "customer_id", "created_at", "id"),
        Index("ix_join_requests_registration_id", "registration_id"),
        Index("ix_join_requests_created_at", "created_at", "id"),
    )
