"""Customers and what belongs to them, as messages."""

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis import clock, fields, masks
from chassis.call import Call
from customers.base import NEVER
from customers.customer.model import Customer, Share
from tongxiao.customers.v1 import customer_pb2 as pb


def customer_message(customer: Customer, call: Call) -> pb.Customer:
    """The customer as this caller may see it."""
    return _message(customer, customer.assignments, call)


def customer_messages(customers: Iterable[Sequence[Any]], call: Call) -> list[pb.Customer]:
    """The customers of a page, each given as its rows, as this caller may see them."""
    return [_message(rows[0], rows, call) for rows in customers]


def _message(customer: Any, assignments: Sequence[Any], call: Call) -> pb.Customer:
    message = pb.Customer(
        id=str(customer.id),
        name=customer.name,
        short_name=customer.short_name,
        name_en=customer.name_en,
        credit_code=customer.credit_code,
        industry=customer.industry,
        size=customer.size,
        tier=customer.tier,
        source=customer.source,
        division_code=customer.division_code,
        address=customer.address,
        website=customer.website,
        phones=customer.phones,
        tags=customer.tags,
        parent_id=str(customer.parent_id or ""),
        note=customer.note,
        assignments=[_assignment_message(assignment) for assignment in assignments if assignment.line_id],
        next_contact_date=customer.next_contact_on.isoformat() if customer.next_contact_on else "",
        etag=masks.etag(customer.version),
        create_time=clock.stamp(customer.created_at),
        update_time=clock.stamp(customer.updated_at),
    )
    if customer.custom_fields:
        message.custom_fields.CopyFrom(_struct(customer.custom_fields))
    if customer.last_contact_at > NEVER:
        message.last_contact_time.CopyFrom(clock.stamp(customer.last_contact_at))
    if customer.deleted_at:
        message.delete_time.CopyFrom(clock.stamp(customer.deleted_at))
    fields.govern(call, message, [(each.owner_id, each.unit_id) for each in assignments if each.line_id])
    return message


def _struct(values: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


def _assignment_message(assignment: Any) -> pb.Assignment:
    return pb.Assignment(
        line_id=str(assignment.line_id),
        owner_id=str(assignment.owner_id),
        unit_id=str(assignment.unit_id),
        since_time=clock.stamp(assignment.since),
    )


def period_message(period: Any) -> pb.AssignmentPeriod:
    return pb.AssignmentPeriod(
        line_id=str(period.line_id),
        owner_id=str(period.owner_id),
        unit_id=str(period.unit_id),
        start_time=clock.stamp(period.started_at),
        end_time=clock.stamp(period.ended_at),
        assigned_by=str(period.assigned_by),
        note=period.note,
    )


def share_message(share: Share) -> pb.Share:
    return pb.Share(
        id=str(share.id),
        customer_id=str(share.customer_id),
        person_id=str(share.person_id),
        level=share.level,  # type: ignore[arg-type]
        end_date=share.end_on.isoformat() if share.end_on else "",
        note=share.note,
        shared_by=str(share.shared_by),
        create_time=clock.stamp(share.created_at),
    )
