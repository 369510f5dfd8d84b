"""Merges, each with what it moved, so that it can be taken back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.ids import new_id
from chassis.reach import Reach, Through
from customers.base import Base
from customers.customer.model import Customer
from tongxiao.customers.v1 import merge_pb2 as pb


class Merge(Base):
    """A customer merged into another. `record` says what moved, what gave way, and what the winner was before."""

    __tablename__ = "merges"
    __audit__ = "merge"
    __audit_message__ = pb.MergeCustomerRequest
    __reach__ = Reach(read=Through(lambda: Customer, "winner_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    winner_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    loser_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    merged_by: Mapped[UUID]
    merged_at: Mapped[datetime] = mapped_column(default=clock.now)
    undone_at: Mapped[datetime | None]
    record: Mapped[dict[str, Any]] = mapped_column(JSONB, info={"derived": True})

    __table_args__ = (Index("uq_merges_loser_id", "loser_id", unique=True, postgresql_where=text("undone_at IS NULL")),)
