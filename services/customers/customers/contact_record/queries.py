"""Every select of contact records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.call import Call
from chassis.listing import Order
from customers.contact_record.model import ContactRecord
from customers.customer.model import Customer
from customers.customer.queries import OF_REACHED
from customers.refusals import refuse
from tongxiao.customers.v1 import contact_record_pb2 as pb

ORDER = Order("contact_time", "contacted_at", descending=True)


def find_record(session: Session, record_id: UUID, *, deleted: bool = False) -> ContactRecord | None:
    """The contact record, if the caller may read it and it is not deleted; or even then."""
    wanted = select(ContactRecord).where(ContactRecord.id == record_id)
    wanted = wanted if deleted else wanted.where(ContactRecord.deleted_at.is_(None))
    return session.scalars(wanted).one_or_none()


def get_record(session: Session, record_id: UUID, *, deleted: bool = False) -> ContactRecord:
    found = find_record(session, record_id, deleted=deleted)
    if found is None:
        raise refuse.unknown("NOT_FOUND", record_id)
    return found


def is_taken(session: Session, record_id: UUID) -> bool:
    wanted = select(ContactRecord.id).where(ContactRecord.id == record_id)
    return session.scalar(wanted.execution_options(reach="whether an id is taken; no more is said")) is not None


def list_records(call: Call, request: pb.ListContactRecordsRequest) -> tuple[Sequence[ContactRecord], str]:
    """A page of contact records within reach, newest first."""
    wanted = select(ContactRecord).where(ContactRecord.deleted_at.is_(None))
    if request.customer_id:
        wanted = wanted.where(ContactRecord.customer_id == UUID(request.customer_id))
    if request.author_id:
        wanted = wanted.where(ContactRecord.author_id == UUID(request.author_id))
    if request.channels:
        wanted = wanted.where(ContactRecord.channel.in_(list(request.channels)))
    if request.HasField("start_time"):
        wanted = wanted.where(ContactRecord.contacted_at >= request.start_time.ToDatetime(UTC))
    if request.HasField("end_time"):
        wanted = wanted.where(ContactRecord.contacted_at < request.end_time.ToDatetime(UTC))
    return paging.Cursor(call, request, ORDER).page(call.session, wanted, ContactRecord)


_KEPT = (
    ContactRecord.customer_id == bindparam("customer_id", type_=Uuid()),
    ContactRecord.deleted_at.is_(None),
)
_RECENT = select(func.count()).where(
    *_KEPT, ContactRecord.contacted_at >= bindparam("since", type_=DateTime(timezone=True))
)
_NEWEST = (
    select(ContactRecord, _RECENT.scalar_subquery())
    .where(*_KEPT)
    .order_by(ContactRecord.contacted_at.desc(), ContactRecord.id.desc())
    .limit(bindparam("newest", type_=Integer()))
)


def newest_of(
    session: Session, customer_id: UUID, *, limit: int, since: datetime
) -> tuple[Sequence[ContactRecord], int]:
    """The newest contact records of a customer within reach, and how many there are since a moment."""
    values = {"customer_id": customer_id, "since": since, "newest": limit}
    rows = session.execute(_NEWEST, values, execution_options=OF_REACHED).all()
    return [record for record, _ in rows], rows[0][1] if rows else 0


def last_touch(session: Session, customer_id: UUID) -> datetime | None:
    """When a customer within reach was last touched, by what is left of its records."""
    wanted = select(func.max(ContactRecord.contacted_at)).where(
        ContactRecord.customer_id == customer_id, ContactRecord.two_way, ContactRecord.deleted_at.is_(None)
    )
    return session.scalar(wanted, execution_options=OF_REACHED)


@dataclass(frozen=True)
class Said:
    """The next contact day that a customer has by what was said of it: by a record, or by somebody to itself."""

    record_id: UUID | None
    next_contact_on: date | None


def said(session: Session, customer: Customer) -> Said:
    """What the newest record that says a next contact day says, unless somebody gave the customer one after it did."""
    said_at = func.coalesce(ContactRecord.said_at, ContactRecord.created_at)
    wanted = select(ContactRecord.id, ContactRecord.next_contact_on, said_at.label("said_at")).where(
        ContactRecord.customer_id == customer.id,
        ContactRecord.next_contact_on.is_not(None),
        ContactRecord.deleted_at.is_(None),
    )
    newest = wanted.order_by(ContactRecord.contacted_at.desc(), ContactRecord.id.desc()).limit(1)
    row = session.execute(newest, execution_options=OF_REACHED).one_or_none()
    if row is None or (customer.displaced_at and customer.displaced_at > row.said_at):
        return Said(None, customer.displaced_contact_on)
    return Said(row.id, row.next_contact_on)
