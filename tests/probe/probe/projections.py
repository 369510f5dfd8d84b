"""What the probe keeps of others' data."""

from datetime import UTC
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import org_projections
from chassis.envelope import Envelope
from chassis.projection import Projection, upsert_newer
from probe.model import ProbeContactRecord, ProbeCustomer
from tongxiao.customers.events.v1 import events_pb2


def customer_changed(session: Session, event: Envelope) -> None:
    """Keep a customer's newest state; one that is gone stays, without a name."""
    found = event.read(events_pb2.CustomerChanged())
    values = {
        "id": UUID(event.subject),
        "version": event.version,
        "name": None if event.tombstone else found.name,
        "assignments": [MessageToDict(assignment) for assignment in found.assignments],
    }
    upsert_newer(session, ProbeCustomer.__table__, values)


def contact_record_logged(session: Session, event: Envelope) -> None:
    """Add a line to the ledger; one that is in it stays as it is."""
    found = event.read(events_pb2.ContactRecordLogged())
    line = {
        "id": UUID(found.id),
        "customer_id": UUID(found.customer_id),
        "author_id": UUID(found.author_id),
        "unit_id": UUID(found.unit_id),
        "contact_time": found.contact_time.ToDatetime(UTC),
    }
    session.execute(insert(ProbeContactRecord).values(line).on_conflict_do_nothing())


PROJECTIONS = (
    *org_projections.PROJECTIONS,
    Projection(
        source="customers",
        type="customer.changed.v1",
        apply=customer_changed,
        versions=select(ProbeCustomer.id, ProbeCustomer.version),
    ),
    Projection(source="customers", type="contact_record.logged.v1", apply=contact_record_logged),
)
