"""Refusals as RFC 9457 problems. Texts come from the reasons' declarations; what declares none is withheld."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import grpc
import orjson
from google.protobuf.descriptor import EnumDescriptor

from chassis.errors import DomainError
from chassis.status import CODES, FieldViolation, Refusal, violations_of
from gateway import languages
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1 import reason_pb2 as common
from tongxiao.customers.v1 import reason_pb2 as customers
from tongxiao.gateway.v1 import reason_pb2 as gateway
from tongxiao.identity.v1 import reason_pb2 as identity

MEDIA_TYPE = b"application/problem+json"
# How soon what is away for a moment is worth another try; a limit says by itself when it is over.
RETRY_SECONDS = {503: "1"}

_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 503,
}
# What HTTP says more precisely than gRPC.
_EXACT = {
    "VERSION_MISMATCH": 412,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "BODY_TOO_LARGE": 413,
    "FILE_TOO_LARGE": 413,
    "MEDIA_TYPE_UNSUPPORTED": 415,
    "METHOD_NOT_ALLOWED": 405,
    "PRECONDITION_REQUIRED": 428,
    "INTERNAL": 500,
}
# What a transport says by itself, without a service's reason.
_SILENT = {
    "UNAVAILABLE": "SERVICE_UNAVAILABLE",
    "CANCELLED": "SERVICE_UNAVAILABLE",
    "UNIMPLEMENTED": "SERVICE_UNAVAILABLE",
    "DEADLINE_EXCEEDED": "SERVICE_TIMEOUT",
    "RESOURCE_EXHAUSTED": "OVERLOADED",
}
# An underscore of a field's name; what stands in brackets is a key of the caller's own.
_UNDERSCORE = re.compile(r"_([a-z0-9])(?![^\[]*\])")


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818
    """A refusal on its way to a client.

    `within` is the request field that the client's body stands for, where a service names fields by their proto paths.
    """

    refusal: Refusal
    within: str | None = None

    def __str__(self) -> str:
        return f"{self.refusal.domain} {self.reason}"

    @property
    def reason(self) -> str:
        return self.refusal.reason

    @property
    def status(self) -> int:
        return _status(self.reason, self.refusal.code)

    @property
    def retry_after(self) -> str:
        """The seconds to wait before another try; empty where no waiting helps."""
        return self.refusal.metadata.get("retry_after", RETRY_SECONDS.get(self.status, ""))

    def inside(self, body: str) -> "Problem":
        """The same, its fields named as in a body that is one field of the request."""
        return self if self.within is None else replace(self, within=body)


def of_error(error: DomainError) -> Problem:
    """A refusal of this process."""
    code = _code(error.kind)
    return Problem(Refusal(code, error.reason, error.domain, error.metadata, tuple(violations_of(error))))


def status_of(reason: str, service: str) -> int:
    """The status that a reason of a service's, a common one or the gateway's own, is answered with."""
    domains = (f"{name}.tongxiao" for name in (service, "common", "gateway", "identity"))
    declared = next(titles()[domain, reason] for domain in domains if (domain, reason) in titles())
    return _status(reason, _code(declared.kind))


def _status(reason: str, code: grpc.StatusCode) -> int:
    return _EXACT.get(reason) or _STATUSES.get(code.name, 500)


def _code(kind: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == CODES[kind])


def of_refusal(refusal: Refusal) -> Problem:
    """A refusal of a service, or the silence of one."""
    if refusal.domain:
        return Problem(refusal, within="")
    reason = _SILENT.get(refusal.code.name, "INTERNAL")
    code = grpc.StatusCode.INTERNAL if reason == "INTERNAL" else grpc.StatusCode.UNAVAILABLE
    domain = next(domain for domain, known in titles() if known == reason)
    return Problem(Refusal(code, reason, domain, {}, ()))


def fault() -> Problem:
    """What a client is told of an error that nobody foresaw."""
    return of_refusal(Refusal(grpc.StatusCode.INTERNAL, "", "", {}, ()))


def body(problem: Problem, *, path: str, language: str, trace_id: str) -> bytes:
    """The problem as application/problem+json."""
    refusal, title = problem.refusal, title_of(problem.refusal.domain, problem.reason, language)
    errors = [
        {"field": _json_path(found.field, problem.within), "detail": _detail(found, language)}
        for found in refusal.violations
    ]
    service = refusal.domain.removesuffix(".tongxiao")
    found: dict[str, Any] = {
        "type": f"urn:tongxiao:problem:{service}:{problem.reason}",
        "title": title,
        "status": problem.status,
        "detail": _sentence(errors) or title,
        "instance": path,
        "reason": problem.reason,
        "traceId": trace_id,
    }
    if errors:
        found["errors"] = errors
    if refusal.metadata:
        found["metadata"] = {_camel(key): value for key, value in refusal.metadata.items()}
    return orjson.dumps(found)


def title_of(domain: str, reason: str, language: str) -> str:
    """What a reason says to a person; a later release's reason, unknown here, says its name."""
    found = titles().get((domain, reason))
    if found is None:
        return reason
    return found.en if language == languages.EN else found.zh


@cache
def titles() -> dict[tuple[str, str], options_pb2.ReasonOptions]:
    """Domain and reason → its declaration, of every service. A name of two services may mean two things."""
    enums = (module.DESCRIPTOR.enum_types_by_name["Reason"] for module in (common, gateway, identity, customers))
    return {key: options for enum in enums for key, options in _declared(enum)}


def _declared(enum: EnumDescriptor) -> list[tuple[tuple[str, str], options_pb2.ReasonOptions]]:
    domain = f"{enum.full_name.split('.')[1]}.tongxiao"
    extension = options_pb2.reason
    named = [(value.name.removeprefix("REASON_"), value) for value in enum.values if value.number]
    return [((domain, name), value.GetOptions().Extensions[extension]) for name, value in named]


def _detail(found: FieldViolation, language: str) -> str:
    """What is wrong with the field; in English where the service says it in no other language."""
    return found.zh if found.zh and language == languages.ZH else found.description


def _sentence(errors: list[dict[str, str]]) -> str:
    """The errors in one text, each detail once, with all the fields it is about."""
    fields: dict[str, list[str]] = {}
    for each in errors:
        fields.setdefault(each["detail"], []).append(each["field"])
    return "; ".join(f"{', '.join(named)}: {detail}" for detail, named in fields.items())


def _json_path(path: str, within: str | None) -> str:
    return path if within is None else _camel(path.removeprefix(f"{within}."))


def _camel(name: str) -> str:
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)
