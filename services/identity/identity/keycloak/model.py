"""What identity keeps about Keycloak: which group is which unit, what waits to be told, and drift found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.ids import new_id
from chassis.reach import Reach, Unscoped
from identity.base import Base


class GroupLink(Base):
    """Keycloak's id of a unit's group."""

    __tablename__ = "group_links"
    __reach__ = Reach(read=Unscoped("only the worker reads it"))

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[str]


class Waiting(Base):
    """What could not be told while Keycloak was away: a user or a group, by identity's id."""

    __tablename__ = "keycloak_waiting"
    __reach__ = Reach(read=Unscoped("only the worker reads it"))

    subject: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Drift(Base):
    """A difference found between identity and Keycloak, and when it was repaired."""

    __tablename__ = "drifts"
    __reach__ = Reach(read=Unscoped("the projection is one, for the whole company"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject: Mapped[str]
    subject_id: Mapped[str]
    difference: Mapped[str]
    found_at: Mapped[datetime]
    repaired_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_drifts_found_at", "found_at", "id"),
        Index(
            "uq_drifts_open",
            "subject",
            "subject_id",
            "difference",
            unique=True,
            postgresql_where=text("repaired_at IS NULL"),
        ),
    )
