"""Units and their dated parents: rights follow today's tree, figures the tree of the fact's day."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Versioned
from chassis.ids import new_id
from chassis.reach import Placed, Reach, Through
from identity.base import Base
from tongxiao.identity.v1 import unit_pb2 as pb


class Unit(Versioned, Base):
    """A unit 组织单元. `parent_id` is today's parent, as `unit_parents` has it."""

    __tablename__ = "units"
    __audit__ = "unit"
    __audit_message__ = pb.Unit
    __reach__ = Reach(read=Placed(unit="id", new_in="parent_id"))
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[int] = mapped_column(SmallInteger)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    time_zone: Mapped[str]
    currency: Mapped[str]
    head_post_id: Mapped[UUID | None]
    state: Mapped[int] = mapped_column(SmallInteger)
    closed_on: Mapped[date | None]
    tree_version: Mapped[int]

    __table_args__ = (
        Index("uq_units_company", "kind", unique=True, postgresql_where=text("parent_id IS NULL")),
        CheckConstraint(f"(parent_id IS NULL) = (kind = {pb.UNIT_KIND_COMPANY})", name="company"),
    )

    @property
    def is_open(self) -> bool:
        return self.state == pb.UNIT_STATE_ACTIVE

    @property
    def is_closed(self) -> bool:
        return self.state == pb.UNIT_STATE_CLOSED


class UnitParent(Base):
    """One stretch of days of a unit below one parent; the company has one without parent."""

    __tablename__ = "unit_parents"
    __audit__ = "unit_parent"
    __audit_message__ = pb.UnitParent
    __reach__ = Reach(read=Through(lambda: Unit, "unit_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"))
    start_on: Mapped[date]
    end_on: Mapped[date | None]

    __table_args__ = (
        Index("uq_unit_parents_unit_id_start_on", "unit_id", "start_on", unique=True),
        Index("ix_unit_parents_parent_id", "parent_id"),
        CheckConstraint("end_on >= start_on", name="days"),
    )


class UnitOccupancy(Base):
    """What a service said, when last asked, of a unit that was being closed; nothing by kind where it is empty."""

    __tablename__ = "unit_occupancies"
    __reach__ = Reach(read=Through(lambda: Unit, "unit_id"))

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
