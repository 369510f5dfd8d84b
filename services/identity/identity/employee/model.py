"""Employees: who they are and where they stand."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Versioned
from chassis.reach import Owned, Reach
from identity.base import Base
from tongxiao.identity.v1 import employee_pb2 as pb


class Employee(Versioned, Base):
    """An employee 员工. `unit_id` is the home unit: that of the main post today, or who looks after the record."""

    __tablename__ = "employees"
    __audit__ = "employee"
    __audit_message__ = pb.Employee
    __reach__ = Reach(read=Owned(owner="id"))
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(info={"personal": True})
    mobile: Mapped[str] = mapped_column(info={"personal": True})
    hire_on: Mapped[date]
    leave_on: Mapped[date | None]
    state: Mapped[int] = mapped_column(SmallInteger)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    locale: Mapped[str]
    # The version of what others were told, which follows the person's posts as well as this record.
    told_version: Mapped[int] = mapped_column(default=1, info={"derived": True})
    # Keycloak's id of the person, once it has one.
    keycloak_id: Mapped[str | None] = mapped_column(unique=True, info={"derived": True})

    __table_args__ = (
        Index("uq_employees_email", "email", unique=True, postgresql_where=text("email <> ''")),
        Index("ix_employees_leave_on", "leave_on", postgresql_where=text("leave_on IS NOT NULL")),
    )

    @property
    def active(self) -> bool:
        return self.state == pb.EMPLOYEE_STATE_ACTIVE
