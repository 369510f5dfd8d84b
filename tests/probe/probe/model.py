"""The probe's tables: two projections of others' events, and something of its own to tell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.database import TYPES, conventional_metadata
from chassis.reach import Reach, Unscoped

EVERYBODY = Reach(Unscoped("only tests read it"))


class Base(DeclarativeBase):
    """What the probe's tables share."""

    metadata = conventional_metadata()
    type_annotation_map = TYPES


class ProbeCustomer(Base):
    """A customer as customers last told it; without a name once it is gone."""

    __tablename__ = "probe_customers"
    __reach__ = EVERYBODY

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str | None]
    assignments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class ProbeContactRecord(Base):
    """A line of the ledger of contact records: only ever inserted."""

    __tablename__ = "probe_contact_records"
    __reach__ = EVERYBODY

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(index=True)
    author_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    contact_time: Mapped[datetime]


class ProbeNote(Base):
    """What the probe publishes itself: a text under a version; behaviour in tests hangs on the text."""

    __tablename__ = "probe_notes"
    __reach__ = EVERYBODY

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    text: Mapped[str]
    # How often a handler took effect: more than once for one event would be a fault.
    handled: Mapped[int] = mapped_column(default=0, server_default="0")


METADATA = (Base.metadata,)
