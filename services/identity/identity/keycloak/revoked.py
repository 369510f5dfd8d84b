"""Ending sign-ins at Keycloak that identity has revoked."""

from uuid import UUID

from sqlalchemy.orm import Session

from identity.keycloak import queries
from identity.keycloak.realm import Realm


def tell(session: Session, realm: Realm, revocation_id: UUID) -> None:
    """End the sign-ins that a revocation names, where it ends any; those begun later go on."""
    revocation = queries.revocation(session, revocation_id)
    if revocation is None or revocation.rights_only:
        return
    if revocation.session_id:
        realm.end_session(revocation.session_id)
        return
    employee = queries.employee(session, revocation.person_id)
    if employee and employee.keycloak_id:
        realm.end_sessions(employee.keycloak_id, begun_before=revocation.revoked_at)
