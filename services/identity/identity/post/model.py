"""Posts and tenures: rights belong to posts, people come and go."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Uuid, column, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.database import Versioned
from chassis.ids import new_id
from chassis.reach import Placed, Reach, Through
from identity.base import Base
from tongxiao.identity.v1 import post_pb2 as pb

# The last day is part of the span; a tenure that was called off before it began has an empty one.
DAYS = text("daterange(start_on, end_on + 1, '[)')")


class Post(Versioned, Base):
    """A post 岗位: a role, the unit it belongs to, the units it governs, the days it is valid."""

    __tablename__ = "posts"
    __audit__ = "post"
    __audit_message__ = pb.Post
    __reach__ = Reach(read=Placed())
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    governed_unit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    superior_post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id"), index=True)
    start_on: Mapped[date | None]
    end_on: Mapped[date | None]

    __table_args__ = (CheckConstraint("end_on >= start_on", name="days"),)


class PostUnit(Base):
    """One stretch of days in which a post belonged to one unit; open at either end where a day is missing."""

    __tablename__ = "post_units"
    __reach__ = Reach(read=Through(lambda: Post, "post_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    start_on: Mapped[date | None]
    end_on: Mapped[date | None]


class Tenure(Base):
    """A tenure 任职: an employee holds a post, or deputises, for a stretch of days."""

    __tablename__ = "tenures"
    __audit__ = "tenure"
    __audit_message__ = pb.Tenure
    __reach__ = Reach(read=Through(lambda: Post, "post_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), index=True)
    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    kind: Mapped[int] = mapped_column(SmallInteger)
    start_on: Mapped[date]
    end_on: Mapped[date | None]
    main: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
    __table_args__ = (
        ExcludeConstraint(
            (column("employee_id"), "="),
            (column("post_id"), "="),
            (DAYS, "&&"),
            name="ex_tenures_post",
            using="gist",
        ),
        ExcludeConstraint(
            (column("employee_id"), "="), (DAYS, "&&"), name="ex_tenures_main", using="gist", where=text("main")
        ),
        CheckConstraint("end_on >= start_on - 1", name="days"),
        Index("ix_tenures_start_on", "start_on", "id"),
    )
