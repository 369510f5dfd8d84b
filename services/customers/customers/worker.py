"""What customers listens to: identity's units and people, and the heads of its audit chain."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis import anchors, organisation
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.messaging import event_handler, tick
from customers import units
from customers.home import operations as home


class Worker:
    """Keeps the organisation as identity tells it and the heads of identity's audit chain; counts what units hold."""

    name = "customers"

    @event_handler("identity", "org.changed.v1")
    def org_changed(self, session: Session, event: Envelope) -> None:
        units.org_changed(session, event)

    @event_handler("identity", "person.changed.v1")
    def person_changed(self, session: Session, event: Envelope) -> None:
        organisation.person_changed(session, event)

    @event_handler("identity", anchors.SEALED)
    def audit_sealed(self, session: Session, event: Envelope) -> None:
        anchors.keep(session, event)

    @tick(every_s=60, eager=True)
    def count_units(self, engine: Engine) -> None:
        with transaction(engine) as session:
            home.count_units(session)
