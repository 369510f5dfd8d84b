"""What customers publishes of requests to join."""

from chassis import clock, outbox
from chassis.envelope import Envelope
from customers.joining.model import JoinRequest, State
from tongxiao.customers.events.v1 import events_pb2 as pb

CHANGED = "join_request.changed.v1"


def join_request_changed(request: JoinRequest) -> Envelope:
    data = pb.JoinRequestChanged(
        id=str(request.id),
        customer_id=str(request.customer_id or ""),
        registration_id=str(request.registration_id or ""),
        person_id=str(request.person_id),
        state=State.Name(request.state).removeprefix("JOIN_REQUEST_STATE_"),  # type: ignore[arg-type]
        answered_by=str(request.answered_by or ""),
        create_time=clock.stamp(request.created_at),
    )
    return outbox.state("customers", CHANGED, data, subject=request.id, version=request.version)
