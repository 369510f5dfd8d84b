"""What customers listens to: identity's units and people."""

from sqlalchemy.orm import Session

from chassis import organisation
from chassis.envelope import Envelope
from chassis.messaging import event_handler


class Worker:
    """Keeps the organisation as identity tells it."""

    name = "customers"

    @event_handler("identity", "org.changed.v1")
    def org_changed(self, session: Session, event: Envelope) -> None:
        organisation.org_changed(session, event)

    @event_handler("identity", "person.changed.v1")
    def person_changed(self, session: Session, event: Envelope) -> None:
        organisation.person_changed(session, event)
