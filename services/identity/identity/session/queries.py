"""Every select of revocations, and the locks between them and passports."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from chassis import turns
from identity.session.model import Revocation

_EXEMPT = {"reach": "revocations concern no unit"}
# People share so many locks: a change of thousands of people's rights needs no more.
_PLACES = 64
_TURN = "rights"
# Far longer than any passport or token lives.
KEPT = timedelta(days=1)


def lock_people(session: Session, person_ids: Iterable[UUID]) -> None:
    """Let nobody read these people's rights for a passport until this transaction ends."""
    turns.wait_for_all(session, _TURN, {_place(person_id) for person_id in person_ids})


def await_changes(session: Session, person_id: UUID) -> None:
    """Wait until no change of the person's rights is under way."""
    turns.share(session, _TURN, _place(person_id))


def is_revoked(session: Session, person_id: UUID, session_id: str, issued_at: datetime) -> bool:
    """Whether a sign-in of a person's was ended, and not only their rights changed."""
    of_session = (Revocation.session_id == session_id) & (Revocation.session_id != "")
    of_person = (Revocation.session_id == "") & (Revocation.revoked_at > issued_at)
    wanted = select(Revocation.id).where(
        Revocation.person_id == person_id, ~Revocation.rights_only, or_(of_session, of_person)
    )
    return session.scalar(wanted.limit(1), execution_options=_EXEMPT) is not None


def revocations_since(session: Session, moment: datetime) -> Sequence[Revocation]:
    """The revocations from a moment on, oldest first."""
    wanted = select(Revocation).where(Revocation.revoked_at >= moment)
    return session.scalars(wanted.order_by(Revocation.revoked_at, Revocation.id), execution_options=_EXEMPT).all()


def forget_revocations(session: Session, before: datetime) -> None:
    session.execute(delete(Revocation).where(Revocation.revoked_at < before), execution_options=_EXEMPT)


def _place(person_id: UUID) -> int:
    return person_id.int % _PLACES
