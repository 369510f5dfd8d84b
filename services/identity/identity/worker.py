"""What identity listens to, its own events, and does by itself: Keycloak follows, and days begin."""

from functools import cache
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis import anchors, clock
from chassis import closing as asking
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.messaging import event_handler, tick
from chassis.settings import load
from identity.keycloak import reconcile, telling
from identity.keycloak.pacing import Pace
from identity.keycloak.realm import Realm
from identity.session import day_change
from identity.session import queries as sessions
from identity.settings import Settings
from identity.unit import closing
from tongxiao.identity.events.v1 import events_pb2


@cache
def realm() -> Realm:
    return Realm(load(Settings))


@cache
def comparisons() -> Pace:
    return Pace()


class Worker:
    """Keeps Keycloak in step and the heads of others' audit chains, and begins the days."""

    name = "identity"

    @event_handler("identity", "org.changed.v1")
    def org_changed(self, session: Session, event: Envelope) -> None:
        units = event.read(events_pb2.OrgChanged()).units
        telling.tell(session, realm(), telling.GROUP, [UUID(unit.id) for unit in units])

    @event_handler("identity", "person.changed.v1")
    def person_changed(self, session: Session, event: Envelope) -> None:
        telling.tell(session, realm(), telling.USER, [UUID(event.subject)])

    @event_handler("identity", "session.revoked.v1")
    def session_revoked(self, session: Session, event: Envelope) -> None:
        telling.tell(session, realm(), telling.REVOCATION, [event.id])

    @event_handler("customers", asking.EMPTY)
    def unit_empty(self, session: Session, event: Envelope) -> None:
        closing.answered(session, event, services=load(Settings).closing_services)

    @event_handler("customers", asking.OCCUPIED)
    def unit_occupied(self, session: Session, event: Envelope) -> None:
        closing.answered(session, event, services=load(Settings).closing_services)

    @event_handler("customers", anchors.SEALED)
    def audit_sealed(self, session: Session, event: Envelope) -> None:
        anchors.keep(session, event)

    @tick(every_s=5)
    def tell_waiting(self, engine: Engine) -> None:
        telling.tell_waiting(engine, realm())

    @tick(every_s=5)
    def reconcile(self, engine: Engine) -> None:
        comparisons().run(lambda: reconcile.reconcile(engine, realm()))

    @tick(every_s=10, eager=True)
    def begin_days(self, engine: Engine) -> None:
        with transaction(engine, action="day") as session:
            day_change.begin_days(session)

    @tick(every_s=3600)
    def forget_revocations(self, engine: Engine) -> None:
        with transaction(engine) as session:
            sessions.forget_revocations(session, clock.now() - sessions.KEPT)
