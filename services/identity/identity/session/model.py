"""Revocations, kept for processes that missed their events; and which day was last begun in each time zone."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.ids import new_id
from chassis.reach import Reach, Unscoped
from identity.base import Base


class Revocation(Base):
    """Passports of the person (of the one session, where it names one) from before the moment are void."""

    __tablename__ = "revocations"
    __reach__ = Reach(read=Unscoped("only other processes of the installation read them"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID]
    session_id: Mapped[str]
    revoked_at: Mapped[datetime]
    rights_only: Mapped[bool]

    __table_args__ = (
        Index("ix_revocations_revoked_at", "revoked_at", "id"),
        Index("ix_revocations_person_id", "person_id", "revoked_at"),
    )


class BegunDay(Base):
    """The day whose beginning was last dealt with in a time zone."""

    __tablename__ = "begun_days"
    __reach__ = Reach(read=Unscoped("only the worker reads it"))

    zone: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
