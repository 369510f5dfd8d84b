"""What the probe listens to."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis import anchors, organisation
from chassis.envelope import Envelope
from chassis.messaging import event_handler, tick
from probe import notes, projections


class Worker:
    """Events of others, and of its own notes."""

    name = "probe"

    @event_handler("customers", "customer.changed.v1")
    def customer_changed(self, session: Session, event: Envelope) -> None:
        projections.customer_changed(session, event)

    @event_handler("customers", "contact_record.logged.v1")
    def contact_record_logged(self, session: Session, event: Envelope) -> None:
        projections.contact_record_logged(session, event)

    @event_handler("probe", notes.WRITTEN)
    def note_written(self, session: Session, event: Envelope) -> None:
        notes.handle(session, event)

    @event_handler("probe", anchors.SEALED)
    def audit_sealed(self, session: Session, event: Envelope) -> None:
        anchors.keep(session, event)

    @tick(every_s=0.2)
    def count_ticks(self, engine: Engine) -> None:
        notes.count_tick(engine)

    @event_handler("identity", "org.changed.v1")
    def org_changed(self, session: Session, event: Envelope) -> None:
        organisation.org_changed(session, event)

    @event_handler("identity", "person.changed.v1")
    def person_changed(self, session: Session, event: Envelope) -> None:
        organisation.person_changed(session, event)
