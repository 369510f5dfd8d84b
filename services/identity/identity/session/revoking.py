"""Revocations: what voids passports, kept and told."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, outbox
from identity.session import events, queries
from identity.session.model import Revocation

# Of so many at once, others hear by the bulk lane.
MANY = 1000


def revoke(session: Session, person_ids: Iterable[UUID], *, session_id: str = "", rights_only: bool = False) -> None:
    """Void the passports these people have; of one session where it is named.

    Comes last in a transaction: a passport issued meanwhile has either waited for it, or is older than the moment.
    """
    people = sorted(set(person_ids))
    queries.lock_people(session, people)
    moment = clock.now()
    made = [
        Revocation(person_id=person_id, session_id=session_id, revoked_at=moment, rights_only=rights_only)
        for person_id in people
    ]
    session.add_all(made)
    session.flush()
    lane = outbox.BULK if len(made) > MANY else 0
    outbox.publish(session, *(events.session_revoked(revocation) for revocation in made), lane=lane)
