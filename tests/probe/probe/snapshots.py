"""What others may fill projections from: the probe tells its customers on, standing in for their owner."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import outbox
from chassis.envelope import Envelope
from chassis.ids import NIL
from chassis.snapshot import Item, Source
from probe.model import ProbeCustomer
from tongxiao.customers.events.v1 import events_pb2


def customers(session: Session, after: str, limit: int) -> Sequence[Item]:
    """States of customers by their ids."""
    found = session.scalars(
        select(ProbeCustomer).where(ProbeCustomer.id > (after or NIL)).order_by(ProbeCustomer.id).limit(limit)
    )
    return [Item(str(customer.id), _told(customer)) for customer in found]


def _told(customer: ProbeCustomer) -> Envelope:
    data = events_pb2.CustomerChanged(id=str(customer.id), name=customer.name) if customer.name else None
    return outbox.state("customers", "customer.changed.v1", data, subject=customer.id, version=customer.version)


SOURCES = (
    Source(type="customer.changed.v1", page=customers, versions=select(ProbeCustomer.id, ProbeCustomer.version)),
)
