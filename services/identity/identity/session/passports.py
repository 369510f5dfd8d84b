"""Passports: a realm's access token exchanged for the person's grants, signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import clock, ids, passport
from chassis.caller import Caller, Grant
from identity.employee import queries as employees
from identity.employee.model import Employee
from identity.refusals import refuse
from identity.session import grants, queries
from identity.session.signing import SigningKeys
from identity.session.tokens import Claims, TokenVerifier


@dataclass(frozen=True)
class Issued:
    """A passport, signed."""

    text: str
    person_id: UUID
    expires_at: datetime


def issue(session: Session, token: str, *, verifier: TokenVerifier, keys: SigningKeys) -> Issued:
    """A passport for the holder of an access token, for ten minutes or until the first of their grants ends.

    Refuses TOKEN_INVALID, SIGN_IN_UNAVAILABLE, SESSION_REVOKED, EMPLOYEE_NOT_ACTIVE and NO_POST.
    """
    claims = verifier.verify(token)
    # The moment comes before what is read: a revocation that this passport has not heard of is later than it.
    issued_at = clock.now()
    person_id = _person(session, claims)
    queries.await_changes(session, person_id)
    employee = employees.known_employee(session, person_id)
    if employee is None or not _is_theirs(employee, claims):
        raise refuse("TOKEN_INVALID")
    if queries.is_revoked(session, person_id, claims.session_id, claims.issued_at):
        raise refuse("SESSION_REVOKED")
    if not employee.active:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    held = grants.effective(session, person_id, claims.roles)
    return _issued(person_id, claims.session_id, held, issued_at=issued_at, keys=keys)


def issue_absent(session: Session, person_id: UUID, *, keys: SigningKeys) -> Issued:
    """A passport for a person whose work goes on without them, with all that their posts allow now.

    Refuses EMPLOYEE_UNKNOWN, EMPLOYEE_NOT_ACTIVE and NO_POST.
    """
    issued_at = clock.now()
    queries.await_changes(session, person_id)
    employee = employees.known_employee(session, person_id)
    if employee is None:
        raise refuse("EMPLOYEE_UNKNOWN", field="person_id")
    if not employee.active:
        raise refuse("EMPLOYEE_NOT_ACTIVE")
    return _issued(person_id, "", grants.all_of(session, person_id), issued_at=issued_at, keys=keys)


def _issued(
    person_id: UUID, session_id: str, held: Sequence[Grant], *, issued_at: datetime, keys: SigningKeys
) -> Issued:
    if not held:
        raise refuse("NO_POST")
    ends = [grant.until for grant in held if grant.until]
    caller = Caller(
        person_id=person_id,
        session_id=session_id,
        grants=tuple(held),
        issued_at=issued_at,
        expires_at=min([issued_at + passport.LIFETIME, *ends]),
    )
    return Issued(passport.sign(caller, keys.newest()), person_id, caller.expires_at)


def _person(session: Session, claims: Claims) -> UUID:
    """Whose token it is: by the claim that carries the employee's id, else by Keycloak's own id."""
    if claims.employee_id:
        if (claimed := ids.read_id(claims.employee_id)) is None:
            raise refuse("TOKEN_INVALID")
        return claimed
    found = employees.by_keycloak_id(session, claims.subject)
    if found is None:
        raise refuse("TOKEN_INVALID")
    return found.id


def _is_theirs(employee: Employee, claims: Claims) -> bool:
    """Whether the account at Keycloak is the employee's: a claim alone could have been put on another's."""
    return employee.keycloak_id in (None, claims.subject)
