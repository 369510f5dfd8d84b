"""What customers publishes of registrations."""

from chassis import clock, outbox
from chassis.envelope import Envelope
from customers.registration.model import Registration
from tongxiao.customers.events.v1 import events_pb2 as pb

CHANGED = "registration.changed.v1"


def registration_changed(registration: Registration) -> Envelope:
    data = pb.RegistrationChanged(
        id=str(registration.id),
        line_id=str(registration.line_id),
        name=registration.name,
        credit_code=registration.credit_code,
        owner_id=str(registration.owner_id),
        unit_id=str(registration.unit_id),
        protect_time=clock.stamp(registration.protected_until),
        released=registration.released_at is not None,
        customer_id=str(registration.customer_id or ""),
        create_time=clock.stamp(registration.created_at),
    )
    return outbox.state("customers", CHANGED, data, subject=registration.id, version=registration.version)
