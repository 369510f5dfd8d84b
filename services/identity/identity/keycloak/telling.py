"""Telling Keycloak of changes as they come; what cannot be told now waits, and is told when it can be."""

import logging
from collections.abc import Callable, Iterable
from uuid import UUID

from keycloak.exceptions import KeycloakError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis.database import transaction
from chassis.errors import DomainError
from identity.keycloak import accounts, groups, queries, revoked
from identity.keycloak.realm import CONFLICT, Realm

log = logging.getLogger(__name__)

USER, GROUP, REVOCATION = "user", "group", "revocation"
_TELL: dict[str, Callable[[Session, Realm, UUID], object]] = {
    USER: accounts.tell,
    GROUP: groups.tell,
    REVOCATION: revoked.tell,
}


def tell(session: Session, realm: Realm, subject: str, subject_ids: Iterable[UUID]) -> None:
    """Tell Keycloak of subjects as they are now; those it cannot be told of wait."""
    for subject_id in subject_ids:
        if _told(session, realm, subject, subject_id):
            queries.told(session, subject, subject_id)
        else:
            queries.wait(session, subject, subject_id)


def tell_waiting(engine: Engine, realm: Realm) -> int:
    """Tell Keycloak of what waits, longest first, until it cannot be reached; how much still waits."""
    with transaction(engine) as session:
        waiting = queries.waiting(session)
    for done, (subject, subject_id, _since) in enumerate(waiting):
        with transaction(engine) as session:
            if not _told(session, realm, subject, subject_id):
                return len(waiting) - done
            queries.told(session, subject, subject_id)
    return 0


def _told(session: Session, realm: Realm, subject: str, subject_id: UUID) -> bool:
    try:
        _TELL[subject](session, realm, subject_id)
    except DomainError as unavailable:
        if unavailable.reason != "SIGN_IN_UNAVAILABLE":
            raise
        return False
    except KeycloakError as error:
        if error.response_code != CONFLICT:
            raise
        # A name is still another's, who is about to give it up: their own change is on its way.
        log.warning("Keycloak has another %s in the place of %s", subject, subject_id)
        return False
    return True
