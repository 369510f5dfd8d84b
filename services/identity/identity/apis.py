"""What this service serves."""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from chassis import audit_api, snapshot
from chassis.rpc import Api
from identity import parts
from identity.employee import api as employee
from identity.employee_import import api as employee_import
from identity.keycloak.realm import Realm
from identity.parts import Parts
from identity.post import api as post
from identity.refusals import refuse
from identity.role import api as role
from identity.session import api as session
from identity.session import tokens
from identity.session.signing import SigningKeys
from identity.settings import Settings
from identity.snapshots import SOURCES
from identity.unit import api as unit
from tongxiao.identity.v1 import audit_pb2, employee_pb2, import_job_pb2, post_pb2, role_pb2, session_pb2, unit_pb2

CONSTRAINTS = {
    "uq_units_code": ("CODE_TAKEN", "unit.code"),
    "uq_units_company": ("COMPANY_EXISTS", "unit.parent_id"),
    "uq_roles_code": ("CODE_TAKEN", "role.code"),
    "uq_posts_code": ("CODE_TAKEN", "post.code"),
    "ex_tenures_post": ("TENURE_OVERLAPS", "tenure.start_date"),
    "ex_tenures_main": ("MAIN_TENURE_OVERLAPS", "tenure.main"),
    "uq_employees_number": ("NUMBER_TAKEN", "employee.number"),
    "uq_employees_username": ("USERNAME_TAKEN", "employee.username"),
    "uq_employees_email": ("EMAIL_TAKEN", "employee.email"),
}


def _api(proto: Any, name: str, module: ModuleType) -> Api:
    return Api(proto.DESCRIPTOR.services_by_name[name], module, refuse, CONSTRAINTS)


IMPORTS = _api(import_job_pb2, "EmployeeImportJobsService", employee_import)


def apis(settings: Settings) -> Sequence[Api]:
    """The APIs of this process; ends it where it has no key to sign passports with."""
    parts.use(_parts(settings))
    return (
        _api(unit_pb2, "UnitsService", unit),
        _api(role_pb2, "RolesService", role),
        _api(post_pb2, "PostsService", post),
        _api(employee_pb2, "EmployeesService", employee),
        _api(session_pb2, "SessionsService", session),
        IMPORTS,
        snapshot.api(SOURCES),
        _api(audit_pb2, "AuditService", audit_api),
    )


def _parts(settings: Settings) -> Parts:
    if settings.signing_key_dir is None:
        sys.exit("Settings are missing or wrong:\n  TONGXIAO_SIGNING_KEY_DIR: serve signs passports with its keys")
    fetch = tokens.fetching(f"{settings.keycloak_url}/realms/{settings.keycloak_realm}")
    keys = tokens.RealmKeys(fetch, refetch_s=settings.keys_refetch_s)
    verifier = tokens.TokenVerifier(keys, issuer=settings.issuer, audience=settings.audience)
    return Parts(realm=Realm(settings), verifier=verifier, keys=SigningKeys(settings.signing_key_dir))
