"""Registrations of customers for product lines."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.database import Versioned
from chassis.reach import Owned, Reach
from customers.base import Base
from tongxiao.customers.v1 import registration_pb2 as pb

State = pb.RegistrationState
STANDING = text("released_at IS NULL AND customer_id IS NULL")


class Registration(Versioned, Base):
    """A registration 报备: for `days` nobody else registers or creates the customer on that line."""

    __tablename__ = "registrations"
    __audit__ = "registration"
    __audit_message__ = pb.Registration
    __reach__ = Reach(read=Owned())

    id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("product_lines.id"))
    name: Mapped[str]
    name_key: Mapped[str | None] = mapped_column(
        Computed("name_key(name)", persisted=True), deferred=True, info={"derived": True}
    )
    credit_code: Mapped[str]
    division_code: Mapped[str]
    note: Mapped[str]
    owner_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    days: Mapped[int]
    protected_until: Mapped[datetime]
    extended: Mapped[bool] = mapped_column(default=False)
    released_at: Mapped[datetime | None]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version, "eager_defaults": False}

    __table_args__ = (
        Index("ix_registrations_created_at", "created_at", "id"),
        Index("ix_registrations_owner_id", "owner_id", "created_at", "id"),
        Index("ix_registrations_unit_id", "unit_id", "created_at", "id"),
        Index("ix_registrations_credit_code", "credit_code", postgresql_where=STANDING),
        Index("ix_registrations_name_key", "name_key", postgresql_where=STANDING),
        Index("ix_registrations_customer_id", "customer_id"),
    )

    def state_at(self, now: datetime) -> State.ValueType:
        """Where it stands at a moment."""
        if self.customer_id:
            return State.REGISTRATION_STATE_FULFILLED
        if self.released_at:
            return State.REGISTRATION_STATE_RELEASED
        return State.REGISTRATION_STATE_PROTECTED if self.protected_until > now else State.REGISTRATION_STATE_EXPIRED
