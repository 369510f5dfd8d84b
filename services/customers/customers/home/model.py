"""Figures of units, counted by the worker: at a million customers nobody waits for counting them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.reach import Placed, Reach
from customers.base import Base


class UnitCount(Base):
    """How much lies in one unit itself, and how often a sum with all below it counts the same again.

    A customer of two teams is one in each, one in their branch, and one in every unit above.
    """

    __tablename__ = "unit_figures"
    __reach__ = Reach(read=Placed())

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    customers: Mapped[int]
    records: Mapped[int]
    uncontacted: Mapped[int]
    customers_again: Mapped[int] = mapped_column(server_default=text("0"))
    uncontacted_again: Mapped[int] = mapped_column(server_default=text("0"))
    counted_at: Mapped[datetime]
