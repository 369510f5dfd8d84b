"""Contact records: what was logged of being in contact with a customer."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.database import Versioned
from chassis.reach import Reach, Through
from customers.base import Base
from customers.customer.model import DERIVED, Customer
from tongxiao.customers.v1 import contact_record_pb2 as pb


class ContactRecord(Versioned, Base):
    """A contact record 接触记录: reached through its customer, corrected by its author alone."""

    __tablename__ = "contact_records"
    __audit__ = "contact_record"
    __audit_message__ = pb.ContactRecord
    __reach__ = Reach(read=Through(lambda: Customer, "customer_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    line_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_lines.id"))
    channel: Mapped[int] = mapped_column(SmallInteger)
    contacted_at: Mapped[datetime]
    duration_minutes: Mapped[int]
    outcome: Mapped[int] = mapped_column(SmallInteger)
    two_way: Mapped[bool]
    summary: Mapped[str]
    next_step: Mapped[str]
    next_contact_on: Mapped[date | None]
    # When it came to say this next day; unset on what was logged before that was kept.
    said_at: Mapped[datetime | None] = mapped_column(info=DERIVED)
    place: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    photo_keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    author_id: Mapped[UUID]
    # Where the author's act counts: their home unit on the day of logging.
    unit_id: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    __table_args__ = (
        Index("ix_contact_records_customer_id", "customer_id", "contacted_at", "id"),
        Index("ix_contact_records_author_id", "author_id", "contacted_at", "id"),
        Index("ix_contact_records_contacted_at", "contacted_at", "id"),
    )

    @property
    def touch(self) -> bool:
        """A touch 有效接触 counts: two-way, logged, not deleted."""
        return self.two_way and self.deleted_at is None
