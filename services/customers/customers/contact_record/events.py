"""What customers publishes of contact records."""

from uuid import UUID

from chassis import clock, outbox
from chassis.envelope import Envelope
from chassis.ids import new_id
from customers.contact_record.model import ContactRecord
from tongxiao.customers.events.v1 import events_pb2 as pb
from tongxiao.customers.v1 import contact_record_pb2

LOGGED, RETRACTED = "contact_record.logged.v1", "contact_record.retracted.v1"


def contact_record_logged(record: ContactRecord) -> Envelope:
    return outbox.fact("customers", LOGGED, logged(record), subject=record.customer_id, id=fact_id(record))


def contact_record_retracted(record: ContactRecord) -> Envelope:
    data = pb.ContactRecordRetracted(
        id=str(record.id), customer_id=str(record.customer_id), retract_time=clock.stamp(clock.now())
    )
    return outbox.fact("customers", RETRACTED, data, subject=record.customer_id, id=new_id())


def fact_id(record: ContactRecord) -> UUID:
    """The first logging has the record's own id; a correction is another fact."""
    return record.id if record.version == 1 else new_id()


def logged(record: ContactRecord) -> pb.ContactRecordLogged:
    channel = contact_record_pb2.ContactChannel.Name(record.channel)  # type: ignore[arg-type]
    outcome = contact_record_pb2.ContactOutcome.Name(record.outcome)  # type: ignore[arg-type]
    return pb.ContactRecordLogged(
        id=str(record.id),
        customer_id=str(record.customer_id),
        author_id=str(record.author_id),
        unit_id=str(record.unit_id or ""),
        line_id=str(record.line_id or ""),
        channel=channel.removeprefix("CONTACT_CHANNEL_"),
        outcome="" if record.outcome == 0 else outcome.removeprefix("CONTACT_OUTCOME_"),
        two_way=record.two_way,
        contact_time=clock.stamp(record.contacted_at),
        log_time=clock.stamp(record.created_at),
        duration_minutes=record.duration_minutes,
    )
