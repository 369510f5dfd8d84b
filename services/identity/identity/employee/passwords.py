"""One-time passwords."""

from uuid import UUID

from chassis import audit
from chassis.call import Call
from identity.employee import operations
from identity.employee.model import Employee
from identity.keycloak.realm import Realm
from identity.refusals import refuse
from identity.session import revoking


def reset(call: Call, realm: Realm, *, employee_id: UUID, password: str) -> Employee:
    """Give somebody a one-time password and end every session of theirs.

    Refuses what `demand_reset` refuses, SIGN_IN_NOT_READY while Keycloak has yet to hear of them, and
    SIGN_IN_UNAVAILABLE while it cannot be reached.
    """
    employee = operations.demand_reset(call, employee_id=employee_id)
    if employee.keycloak_id is None:
        raise refuse("SIGN_IN_NOT_READY")
    realm.set_password(employee.keycloak_id, password, temporary=True)
    realm.end_sessions(employee.keycloak_id)
    audit.record(call.session, call.rpc.name, employee, {"password": audit.PERSONAL})
    revoking.revoke(call.session, [employee.id])
    return employee
