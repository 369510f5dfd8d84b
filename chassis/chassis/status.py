"""Refusals on the wire: a gRPC status with google.rpc.ErrorInfo and BadRequest, and back again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.errors import DomainError
from tongxiao.common.v1 import options_pb2

Kind = options_pb2.Kind
# The language of a violation's other text.
ZH = "zh-CN"

CODES: dict[int, int] = {
    Kind.KIND_INVALID_ARGUMENT: code_pb2.INVALID_ARGUMENT,
    Kind.KIND_NOT_FOUND: code_pb2.NOT_FOUND,
    Kind.KIND_ALREADY_EXISTS: code_pb2.ALREADY_EXISTS,
    Kind.KIND_FAILED_PRECONDITION: code_pb2.FAILED_PRECONDITION,
    Kind.KIND_ABORTED: code_pb2.ABORTED,
    Kind.KIND_PERMISSION_DENIED: code_pb2.PERMISSION_DENIED,
    Kind.KIND_RESOURCE_EXHAUSTED: code_pb2.RESOURCE_EXHAUSTED,
    Kind.KIND_UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    Kind.KIND_UNAVAILABLE: code_pb2.UNAVAILABLE,
}


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request, by its path in the proto, and what is wrong with it, in English and in Chinese."""

    field: str
    description: str
    zh: str = ""


def violations_of(refusal: DomainError) -> list[FieldViolation]:
    """The fields that a refusal names, each with its text."""
    return [FieldViolation(field, refusal.text, refusal.zh) for field in refusal.fields]


@dataclass(frozen=True)
class Refusal:
    """What a client learns of a refusal."""

    code: grpc.StatusCode
    reason: str
    domain: str
    metadata: dict[str, str]
    violations: tuple[FieldViolation, ...]


def abort(context: grpc.ServicerContext, refusal: DomainError, violations: Iterable[FieldViolation] = ()) -> NoReturn:
    """End the call with a refusal."""
    code = code_pb2.INTERNAL if refusal.reason == "INTERNAL" else CODES[refusal.kind]
    status = status_pb2.Status(code=code, message=refusal.text)
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=refusal.domain, metadata=refusal.metadata)
    status.details.add().Pack(info)
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        told = bad.field_violations.add(field=violation.field, description=violation.description)
        if violation.zh:
            told.localized_message.locale, told.localized_message.message = ZH, violation.zh
    if bad.field_violations:
        status.details.add().Pack(bad)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status raises")


def read(error: grpc.RpcError) -> Refusal:
    """The refusal in an RPC's error; one without details has its code's name for a reason."""
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
    code: grpc.StatusCode = error.code()
    violations = tuple(
        FieldViolation(found.field, found.description, found.localized_message.message)
        for found in bad.field_violations
    )
    return Refusal(code, info.reason or code.name, info.domain, dict(info.metadata), violations)
