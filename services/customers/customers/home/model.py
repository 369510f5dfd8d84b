"""Figures of units, counted by the worker: at a million customers nobody waits for counting them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.reach import Placed, Reach
from customers.base import Base


class UnitCount(Base):
    """How much lies in one unit itself, without those below it."""

    __tablename__ = "unit_figures"
    __reach__ = Reach(read=Placed())

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    customers: Mapped[int]
    records: Mapped[int]
    uncontacted: Mapped[int]
    counted_at: Mapped[datetime]
