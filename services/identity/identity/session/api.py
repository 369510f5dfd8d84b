"""SessionsService: message → arguments → operation → message."""

from datetime import UTC, timedelta
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import clock
from chassis.call import Call
from chassis.rpc import one_statement
from identity import days, parts
from identity.role.catalogue import names_of
from identity.session import explain, leaving, me, passports, queries
from identity.session.me import Held
from identity.session.model import Revocation
from identity.session.passports import Issued
from tongxiao.identity.v1 import role_pb2
from tongxiao.identity.v1 import session_pb2 as pb

# What commits late may carry an earlier moment.
_OVERLAP = timedelta(seconds=10)


@one_statement
def issue_passport(request: pb.IssuePassportRequest, call: Call) -> pb.IssuePassportResponse:
    made = parts.current()
    issued = passports.issue(call.session, request.access_token, verifier=made.verifier, keys=made.keys)
    return _issued_message(issued)


@one_statement
def issue_person_passport(request: pb.IssuePersonPassportRequest, call: Call) -> pb.IssuePassportResponse:
    person_id = UUID(request.person_id)
    return _issued_message(passports.issue_absent(call.session, person_id, keys=parts.current().keys))


@one_statement
def list_passport_keys(request: pb.ListPassportKeysRequest, call: Call) -> pb.ListPassportKeysResponse:  # noqa: ARG001
    return pb.ListPassportKeysResponse(jwks=parts.current().keys.public())


@one_statement
def list_revocations(request: pb.ListRevocationsRequest, call: Call) -> pb.ListRevocationsResponse:
    now = clock.now()
    found = queries.revocations_since(call.session, request.since_time.ToDatetime(UTC) - _OVERLAP)
    return pb.ListRevocationsResponse(
        revocations=[_revocation_message(revocation) for revocation in found], as_of_time=clock.stamp(now)
    )


def get_me(request: pb.GetMeRequest, call: Call) -> pb.Me:  # noqa: ARG001
    found = me.describe(call)
    return pb.Me(
        employee_id=str(found.employee.id),
        number=found.employee.number,
        name=found.employee.name,
        name_en=found.employee.name_en,
        username=found.employee.username,
        locale=found.employee.locale,
        grants=[_grant_message(held) for held in found.held],
        time_zone=found.time_zone,
    )


def sign_out(request: pb.SignOutRequest, call: Call) -> Empty:
    leaving.sign_out(call, parts.current().realm, everywhere=request.everywhere)
    return Empty()


def explain_access(request: pb.ExplainAccessRequest, call: Call) -> pb.ExplainAccessResponse:
    return explain.explain(call, request)


def _issued_message(issued: Issued) -> pb.IssuePassportResponse:
    return pb.IssuePassportResponse(
        passport=issued.text, expire_time=clock.stamp(issued.expires_at), person_id=str(issued.person_id)
    )


def _grant_message(held: Held) -> pb.Grant:
    post, role = held.holding.post, held.holding.role
    return pb.Grant(
        post_id=str(post.id),
        post_name=post.name,
        role_id=str(role.id),
        role_name=role.name,
        level=role.level,  # type: ignore[arg-type]
        permissions=names_of(held.grant.permissions),
        field_rights=[
            role_pb2.FieldRight(field=name, access=access)  # type: ignore[arg-type]
            for name, access in sorted(held.grant.field_rights.items())
        ],
        unit_id=str(held.unit.id),
        unit_name=held.unit.name,
        governed_unit_ids=[str(unit_id) for unit_id in held.grant.governs],
        deputy=held.holding.deputy,
        end_date=days.text_of(held.holding.end_on),
    )


def _revocation_message(revocation: Revocation) -> pb.Revocation:
    return pb.Revocation(
        person_id=str(revocation.person_id),
        session_id=revocation.session_id,
        revoke_time=clock.stamp(revocation.revoked_at),
        rights_only=revocation.rights_only,
    )
