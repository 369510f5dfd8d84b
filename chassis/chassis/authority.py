"""On whose behalf a process works: what a person who is not there may do today, asked of identity."""

from collections.abc import Callable
from uuid import UUID

import grpc

from chassis import channels, status
from chassis.caller import Caller
from chassis.errors import DomainError, Kind, refuse
from chassis.passport import Verifier
from tongxiao.identity.v1 import session_pb2, session_pb2_grpc

# Answers who a person is today. Refuses whoever may do nothing; raises OwnerAwayError where nobody answers.
Authority = Callable[[UUID], Caller]

WAIT_S = 5


class OwnerAwayError(Exception):
    """Identity does not answer: nobody can say what the person may do."""


def asking(target: str, service_token: str, verifier: Verifier) -> Authority:
    """Asks identity over gRPC, each time anew."""
    stub = session_pb2_grpc.SessionsServiceStub(channels.channel(target))
    metadata = (("tongxiao-service-token", service_token),)

    def of(person_id: UUID) -> Caller:
        request = session_pb2.IssuePersonPassportRequest(person_id=str(person_id))
        try:
            answer = stub.IssuePersonPassport(request, timeout=WAIT_S, metadata=metadata)
        except grpc.RpcError as error:
            raise _refusal(error) from error
        return verifier.caller(answer.passport)

    return of


def _refusal(error: grpc.RpcError) -> Exception:
    found = status.read(error)
    if not found.domain or found.code == grpc.StatusCode.UNAVAILABLE:
        return OwnerAwayError(found.reason)
    if found.reason in ("PERMISSION_MISSING", "SERVICE_TOKEN_INVALID"):
        return refuse(found.reason)
    return DomainError(found.reason, domain=found.domain, kind=Kind.KIND_PERMISSION_DENIED, text=found.reason)
