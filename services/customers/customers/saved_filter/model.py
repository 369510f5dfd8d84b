"""Saved filters: a person's own, some shared with a unit and all below it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Versioned
from chassis.reach import Reach, Unscoped
from customers.base import Base
from tongxiao.customers.v1 import saved_filter_pb2 as pb


class SavedFilter(Versioned, Base):
    """A saved filter 保存的筛选. Whoever stands above its person reads it no more than others do."""

    __tablename__ = "saved_filters"
    __audit__ = "saved_filter"
    __audit_message__ = pb.SavedFilter
    __reach__ = Reach(read=Unscoped("whose it is, and whom it is shared with, is part of every select of it"))
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[int] = mapped_column(SmallInteger)
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)
    order: Mapped[int] = mapped_column(SmallInteger)
    unit_id: Mapped[UUID | None]

    __table_args__ = (
        Index("uq_saved_filters_person_id_name", "person_id", "name", unique=True),
        Index("ix_saved_filters_unit_id", "unit_id"),
    )
