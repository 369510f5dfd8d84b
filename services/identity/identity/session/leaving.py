"""Signing out: of this session, or of every one."""

from chassis import audit
from chassis.call import Call
from chassis.errors import DomainError
from identity.employee import queries as employees
from identity.keycloak.realm import Realm
from identity.refusals import refuse
from identity.session import revoking


def sign_out(call: Call, realm: Realm, *, everywhere: bool) -> None:
    """End this session, or all of the caller's. While Keycloak is away its sessions end as soon as it is back."""
    employee = employees.known_employee(call.session, call.caller.person_id)
    if employee is None:
        raise refuse("EMPLOYEE_UNKNOWN")
    session_id = "" if everywhere else call.caller.session_id
    try:
        if session_id:
            realm.end_session(session_id)
        elif employee.keycloak_id:
            realm.end_sessions(employee.keycloak_id)
    except DomainError as unavailable:
        if unavailable.reason != "SIGN_IN_UNAVAILABLE":
            raise
    revoking.revoke(call.session, [employee.id], session_id=session_id)
    audit.record(call.session, call.rpc.name, employee, {"everywhere": everywhere})
