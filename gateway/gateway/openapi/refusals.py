"""What each call may be refused for, by status: what its service's code leads to, and what every call may meet."""

from collections.abc import Iterable

from chassis.rpc import reasons
from gateway import problems
from gateway.bindings import Binding
from gateway.catalogue import Rpc

Reasons = dict[str, list[str]]

_ASKED = (
    *("INVALID_FIELD", "FORBIDDEN_CHARACTERS", "BLANK", "UNKNOWN_FIELD", "UNKNOWN_VALUE", "WRONG_TYPE"),
    "GIVEN_TWICE",
)
_SIGNED_IN = (
    *("TOKEN_MISSING", "TOKEN_INVALID", "SESSION_REVOKED", "EMPLOYEE_NOT_ACTIVE", "NO_POST", "RATE_LIMITED"),
    *("SIGN_IN_UNAVAILABLE", "REVOCATIONS_UNKNOWN"),
)
_ANY = ("MALFORMED_ADDRESS", "SERVICE_UNAVAILABLE", "SERVICE_TIMEOUT", "STORE_UNAVAILABLE", "OVERLOADED")
_WRITING = ("IDEMPOTENCY_KEY_INVALID", "IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS")
_BODY = ("MALFORMED_JSON", "DUPLICATE_KEY", "NESTED_TOO_DEEPLY", "BODY_TOO_LARGE", "MEDIA_TYPE_UNSUPPORTED")
# In so many words a service says what the gateway tells a client otherwise.
_TOLD = {"NOT_YET_KNOWN": "NOT_FOUND"}


def of(binding: Binding) -> Reasons:
    """The reasons by their statuses, each in alphabetical order."""
    rpc, named = binding.rpc, {*_ANY, *_own(binding.rpc)}
    named |= set() if rpc.open else {*_SIGNED_IN, "PERMISSION_MISSING"} if rpc.permitted else set(_SIGNED_IN)
    named |= set(_ASKED) if rpc.method.input_type.fields else set()
    named |= set() if rpc.reads else set(_WRITING)
    named |= set(_BODY) if binding.body else set()
    named |= {"PRECONDITION_REQUIRED", "VERSION_MISMATCH", "HEADER_INVALID"} if binding.etag else set()
    named |= {"ID_MISMATCH"} if binding.filled else set()
    return by_status(named, rpc.service)


def by_status(named: Iterable[str], service: str) -> Reasons:
    """Reasons by the statuses they are answered with."""
    found: Reasons = {}
    for reason in sorted(named):
        found.setdefault(str(problems.status_of(reason, service)), []).append(reason)
    return dict(sorted(found.items()))


def _own(rpc: Rpc) -> set[str]:
    return {_TOLD.get(reason, reason) for reason in reasons().get(rpc.method.full_name, ())}
