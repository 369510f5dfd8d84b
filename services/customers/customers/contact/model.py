"""Contacts: people at customers, each at one or several."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from chassis.database import Versioned
from chassis.ids import new_id
from chassis.reach import AnyOf, Reach, Through
from customers.base import Base
from customers.contact import key_model
from customers.customer.model import GIN, Customer
from tongxiao.customers.v1 import contact_pb2 as pb

PERSONAL = {"personal": True}


class Contact(Versioned, Base):
    """A contact 联系人. Reached through any customer they are at."""

    __tablename__ = "contacts"
    __audit__ = "contact"
    __audit_message__ = pb.Contact
    __personal_keys__ = key_model
    __reach__ = Reach(read=AnyOf(lambda: ContactPlace, "contact_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(info=PERSONAL)
    name_en: Mapped[str] = mapped_column(info=PERSONAL)
    mobile: Mapped[str] = mapped_column(info=PERSONAL)
    phone: Mapped[str] = mapped_column(info=PERSONAL)
    email: Mapped[str] = mapped_column(info=PERSONAL)
    wechat: Mapped[str] = mapped_column(info=PERSONAL)
    birthday: Mapped[str] = mapped_column(info=PERSONAL)
    email_consent: Mapped[int] = mapped_column(SmallInteger)
    phone_consent: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(info=PERSONAL)
    deleted_at: Mapped[datetime | None]

    places: Mapped[list["ContactPlace"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ContactPlace.position"
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    __table_args__ = (
        Index("ix_contacts_created_at", "created_at", "id"),
        Index(
            "ix_contacts_email_domain",
            text("lower(split_part(email, '@', 2))"),
            postgresql_where=text("email <> '' AND deleted_at IS NULL"),
        ),
        Index("ix_contacts_bigrams", text("bigrams((name || ' ') || name_en)"), **GIN),
    )

    @property
    def placed(self) -> list[tuple[UUID, int, str, str]]:
        """Where they are, as a request says it."""
        return [(place.customer_id, place.role, place.job_title, place.department) for place in self.places]


class ContactPlace(Base):
    """A contact's place at one customer; position 0 is the main one."""

    __tablename__ = "contact_places"
    __audit__ = "contact_place"
    __audit_message__ = pb.ContactPlace
    __reach__ = Reach(read=Through(lambda: Customer, "customer_id"), included=True)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    role: Mapped[int] = mapped_column(SmallInteger)
    job_title: Mapped[str]
    department: Mapped[str]

    __table_args__ = (
        Index("uq_contact_places_contact_id_customer_id", "contact_id", "customer_id", unique=True),
        Index("ix_contact_places_customer_id", "customer_id", "contact_id"),
    )


class Reveal(Base):
    """How many contacts a person has revealed on one of their days."""

    __tablename__ = "reveals"
    __reach__ = Reach(read=Through(lambda: Contact, "contact_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID]
    day: Mapped[date]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))

    __table_args__ = (Index("uq_reveals_person_id_day_contact_id", "person_id", "day", "contact_id", unique=True),)
