"""Customers and what says who gets at them: assignments per product line, their history, and shares."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, SmallInteger, Text, TextClause, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from chassis import clock
from chassis.database import Versioned
from chassis.ids import new_id
from chassis.reach import Assigned, Owned, Reach, Through
from customers import search
from customers.base import NEVER, Base
from customers.customer import alike as _alike_functions  # noqa: F401
from tongxiao.customers.v1 import customer_pb2 as pb

LIVE = text("deleted_at IS NULL")
DERIVED = {"derived": True}
# Searches wait for no list of what was written lately.
GIN: dict[str, Any] = {"postgresql_using": "gin", "postgresql_with": {"fastupdate": "off"}}


def _alike(column: str) -> TextClause:
    return text(f"{column} <> '' AND deleted_at IS NULL")


class SortKeys:
    """What lists are ordered by. A customer's assignments repeat these, so that each arm of reach has its index."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_contact_at: Mapped[datetime] = mapped_column(default=NEVER)
    sort_name: Mapped[str] = mapped_column(info=DERIVED)
    deleted_at: Mapped[datetime | None]


class CarriedKeys:
    """The same, on an assignment: they follow the customer, and are nobody's change of the assignment."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now, info=DERIVED)
    last_contact_at: Mapped[datetime] = mapped_column(default=NEVER, info=DERIVED)
    sort_name: Mapped[str] = mapped_column(info=DERIVED)
    deleted_at: Mapped[datetime | None] = mapped_column(info=DERIVED)


class Customer(SortKeys, Versioned, Base):
    """A customer 客户: one record for the whole company."""

    __tablename__ = "customers"
    __audit__ = "customer"
    __audit_message__ = pb.Customer
    __reach__ = Reach(read=Assigned(lambda: Assignment, "customer_id", entity="customer"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    short_name: Mapped[str]
    name_en: Mapped[str]
    credit_code: Mapped[str]
    industry: Mapped[str]
    size: Mapped[int] = mapped_column(SmallInteger)
    tier: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[int] = mapped_column(SmallInteger)
    division_code: Mapped[str]
    address: Mapped[str]
    website: Mapped[str]
    phones: Mapped[list[str]] = mapped_column(ARRAY(Text))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    note: Mapped[str]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    next_contact_on: Mapped[date | None]
    # The last day that somebody gave the customer and a contact record took the place of, and when it did.
    displaced_contact_on: Mapped[date | None] = mapped_column(info=DERIVED)
    displaced_at: Mapped[datetime | None] = mapped_column(info=DERIVED)
    # Names, code and pinyin initials, and their bigrams; see customers.search.
    search_text: Mapped[str] = mapped_column(info=DERIVED)
    search: Mapped[Any] = mapped_column(TSVECTOR, deferred=True, info=DERIVED)
    # What near duplicates are found by; the database makes both.
    name_key: Mapped[str | None] = mapped_column(
        Computed("name_key(name)", persisted=True), deferred=True, info=DERIVED
    )
    web_domain: Mapped[str | None] = mapped_column(
        Computed("web_domain(website)", persisted=True), deferred=True, info=DERIVED
    )
    # The customer that this one was merged into; it is deleted then, and reads of it answer where it went.
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    created_by: Mapped[UUID]

    assignments: Mapped[list["Assignment"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="Assignment.line_id"
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version, "eager_defaults": False}

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            Index(
                "uq_customers_credit_code",
                "credit_code",
                unique=True,
                postgresql_where=text("credit_code <> '' AND deleted_at IS NULL"),
            ),
            Index("ix_customers_created_at", "created_at", "id", postgresql_where=LIVE),
            Index("ix_customers_last_contact_at", "last_contact_at", "id", postgresql_where=LIVE),
            Index("ix_customers_sort_name", "sort_name", "id", postgresql_where=LIVE),
            Index("ix_customers_parent_id", "parent_id"),
            Index("ix_customers_name_key", "name_key", "id", postgresql_where=_alike("name_key")),
            Index("ix_customers_web_domain", "web_domain", "id", postgresql_where=_alike("web_domain")),
            Index("ix_customers_merged_into_id", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
            Index("ix_customers_phones", "phones", **GIN),
            Index("ix_customers_phone_ends", text("phone_ends(phones)"), **GIN),
            Index("ix_customers_search", "search", **GIN),
        )

    def contacted(self, when: datetime) -> None:
        """Note when the last touch was, as the contact records that are left say."""
        if when != self.last_contact_at:
            self.last_contact_at = when
            for assignment in self.assignments:
                assignment.last_contact_at = when

    def index(self) -> None:
        """Take the place in lists and searches that the names and the code give."""
        self.sort_name = search.sort_key(self.name)
        found = search.search_text(names=(self.name, self.short_name, self.name_en), code=self.credit_code)
        if found != self.search_text:
            self.search_text, self.search = found, search.vector(found)
        for assignment in self.assignments:
            assignment.sort_name = self.sort_name

    def mark_deleted(self, when: datetime | None) -> None:
        """Delete, or restore where no moment is given."""
        self.deleted_at = when
        for assignment in self.assignments:
            assignment.deleted_at = when

    def assign(self, *, line_id: UUID, owner_id: UUID, unit_id: UUID) -> "Assignment":
        """Give a line that has no owner yet its first."""
        made = Assignment(
            id=new_id(),
            customer_id=self.id,
            line_id=line_id,
            owner_id=owner_id,
            unit_id=unit_id,
            since=clock.now(),
            created_at=self.created_at,
            last_contact_at=self.last_contact_at,
            sort_name=self.sort_name,
        )
        self.assignments.append(made)
        return made


class Assignment(CarriedKeys, Base):
    """Who owns a customer on one product line, and in which unit it counts."""

    __tablename__ = "assignments"
    __audit__ = "assignment"
    __audit_message__ = pb.Assignment
    __reach__ = Reach(
        read=Through(lambda: Customer, "customer_id"),
        change=Owned(),
        included=True,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    line_id: Mapped[UUID] = mapped_column(ForeignKey("product_lines.id"))
    owner_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    since: Mapped[datetime] = mapped_column(default=clock.now)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        keys = ("created_at", "last_contact_at", "sort_name")
        # The owner's arm asks for the unit too: with it the index alone answers.
        arms = [
            Index(
                f"ix_assignments_{arm}_{key}", arm, key, "customer_id", postgresql_where=LIVE, postgresql_include=more
            )
            for arm, more in (("owner_id", ["unit_id"]), ("unit_id", []))
            for key in keys
        ]
        return (Index("uq_assignments_customer_id_line_id", "customer_id", "line_id", unique=True), *arms)


class AssignmentPeriod(Base):
    """One stretch of one line of a customer with one owner; rows are closed, never changed."""

    __tablename__ = "assignment_periods"
    __reach__ = Reach(read=Through(lambda: Customer, "customer_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    line_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    assigned_by: Mapped[UUID]
    note: Mapped[str]

    __table_args__ = (
        Index("ix_assignment_periods_customer_id", "customer_id", "started_at", "id"),
        Index(
            "uq_assignment_periods_open",
            "customer_id",
            "line_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class Share(Base):
    """A customer shared with a colleague, to read or to write, until a day."""

    __tablename__ = "shares"
    __audit__ = "share"
    __audit_message__ = pb.Share
    __reach__ = Reach(read=Through(lambda: Customer, "customer_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    person_id: Mapped[UUID]
    level: Mapped[int] = mapped_column(SmallInteger)
    end_on: Mapped[date | None]
    note: Mapped[str]
    shared_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (Index("uq_shares_customer_id_person_id", "customer_id", "person_id", unique=True),)

    @property
    def writes(self) -> bool:
        return self.level == pb.SHARE_LEVEL_WRITE
