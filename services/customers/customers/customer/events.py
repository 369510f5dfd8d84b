"""What customers publishes of customers."""

from uuid import UUID

from chassis import clock, outbox
from chassis.envelope import Envelope
from chassis.ids import new_id
from customers.base import NEVER
from customers.customer.model import Assignment, Customer
from tongxiao.customers.events.v1 import events_pb2 as pb
from tongxiao.customers.v1 import customer_pb2

CHANGED, REASSIGNED = "customer.changed.v1", "customer.reassigned.v1"


def customer_changed(customer: Customer) -> Envelope:
    """The customer's whole public state."""
    return outbox.state("customers", CHANGED, public_state(customer), subject=customer.id, version=customer.version)


def customer_gone(customer: Customer) -> Envelope:
    """The tombstone of a deleted customer."""
    return outbox.state("customers", CHANGED, None, subject=customer.id, version=customer.version)


def customer_reassigned(assignment: Assignment, before: UUID) -> Envelope:
    data = pb.CustomerReassigned(
        id=str(new_id()),
        customer_id=str(assignment.customer_id),
        line_id=str(assignment.line_id),
        from_owner_id=str(before),
        to_owner_id=str(assignment.owner_id),
        unit_id=str(assignment.unit_id),
        reassign_time=clock.stamp(clock.now()),
    )
    return outbox.fact("customers", REASSIGNED, data, subject=assignment.customer_id, id=UUID(data.id))


def public_state(customer: Customer) -> pb.CustomerChanged:
    return pb.CustomerChanged(
        id=str(customer.id),
        name=customer.name,
        short_name=customer.short_name,
        credit_code=customer.credit_code,
        industry=customer.industry,
        division_code=customer.division_code,
        tier=_plain(customer_pb2.CustomerTier.Name(customer.tier)),  # type: ignore[arg-type]
        source=_plain(customer_pb2.CustomerSource.Name(customer.source)),  # type: ignore[arg-type]
        size=_plain(customer_pb2.CustomerSize.Name(customer.size)),  # type: ignore[arg-type]
        parent_id=str(customer.parent_id or ""),
        assignments=[
            pb.CustomerAssignment(
                line_id=str(found.line_id),
                owner_id=str(found.owner_id),
                unit_id=str(found.unit_id),
                since_time=clock.stamp(found.since),
            )
            for found in customer.assignments
        ],
        last_contact_time=clock.stamp(customer.last_contact_at if customer.last_contact_at > NEVER else None),
        create_time=clock.stamp(customer.created_at),
    )


def _plain(name: str) -> str:
    """`A` for CUSTOMER_TIER_A, nothing for what is unspecified."""
    short = name.split("_", 2)[2]
    return "" if short == "UNSPECIFIED" else short
