"""What surrounds every RPC: trace, passport, permission, validation, transaction, idempotency and error mapping."""

import hmac
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

import grpc
import protovalidate
from google.protobuf.message import Message
from opentelemetry import propagate, trace
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from chassis import idempotency, text, violations
from chassis.call import Call
from chassis.caller import Caller
from chassis.database import tracing_refusals
from chassis.errors import DomainError, refuse
from chassis.guard import ReachedSession
from chassis.ids import NIL
from chassis.passport import Verifier
from chassis.rpc import Rpc
from chassis.status import FieldViolation, abort, violations_of
from chassis.tree import TreeCache

log = logging.getLogger(__name__)
tracer = trace.get_tracer("chassis")

PASSPORT, SERVICE_TOKEN = "tongxiao-passport", "tongxiao-service-token"
IDEMPOTENCY_KEY, ORIGIN = "idempotency-key", "tongxiao-origin"
# Less time than this is not worth beginning with.
SHORTEST_S = 0.01
SERIALIZATION_FAILURES = ("40001", "40P01")


class Revocations(Protocol):
    def check(self, caller: Caller) -> None:
        """Refuse SESSION_REVOKED a caller whose session or person was revoked."""


class InvalidRequest(Exception):  # noqa: N818
    """A request that breaks its schema's rules."""

    def __init__(self, violations: list[FieldViolation]) -> None:
        super().__init__(f"{len(violations)} fields")
        self.violations = violations


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Runs the RPCs of one process."""

    engine: Engine
    classes: tuple[type, ...]
    verifier: Verifier
    trees: TreeCache
    revocations: Revocations
    service_token: str
    rpcs: Sequence[Rpc]

    def handler(self, rpc: Rpc) -> Any:
        """The gRPC handler of one RPC."""
        wrap = grpc.unary_stream_rpc_method_handler if rpc.streaming else grpc.unary_unary_rpc_method_handler
        behaviour = self._stream(rpc) if rpc.streaming else self._unary(rpc)
        return wrap(
            behaviour, request_deserializer=rpc.request.FromString, response_serializer=rpc.response.SerializeToString
        )

    def _unary(self, rpc: Rpc) -> Callable[[Message, grpc.ServicerContext], Message]:
        def serve(request: Message, context: grpc.ServicerContext) -> Message:
            with self._guarded(rpc, context) as metadata:
                try:
                    return self._answer(rpc, request, metadata)
                except OperationalError as error:
                    if getattr(error.orig, "sqlstate", "") not in SERIALIZATION_FAILURES:
                        raise
                    return self._answer(rpc, request, metadata)

        return serve

    def _stream(self, rpc: Rpc) -> Callable[[Message, grpc.ServicerContext], Iterator[Message]]:
        def serve(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            with self._guarded(rpc, context) as metadata:
                caller = self._admitted(rpc, request, metadata)
                with self._sessions["read"]() as session:
                    yield from rpc.function(request, self._call(rpc, caller, session, metadata))

        return serve

    @contextmanager
    def _guarded(self, rpc: Rpc, context: grpc.ServicerContext) -> Iterator[dict[str, str]]:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        parent = propagate.extract(metadata)
        with tracer.start_as_current_span(rpc.path, context=parent, kind=trace.SpanKind.SERVER) as span:
            try:
                remaining = context.time_remaining()
                if remaining is not None and remaining < SHORTEST_S:
                    raise refuse("DEADLINE_TOO_SHORT")
                yield metadata
            except Exception as error:
                refusal, fields = _refusal(error, rpc)
                span.set_attribute("tongxiao.reason", refusal.reason)
                abort(context, refusal, fields)

    def _admitted(self, rpc: Rpc, request: Message, metadata: dict[str, str]) -> Caller:
        caller = self._caller(rpc, metadata)
        if rpc.permission and not caller.holds(rpc.permission):
            raise refuse("PERMISSION_MISSING")
        validate(request)
        return caller

    def _caller(self, rpc: Rpc, metadata: dict[str, str]) -> Caller:
        if rpc.open:
            return NOBODY
        if rpc.internal:
            given = metadata.get(SERVICE_TOKEN, "")
            if not self.service_token or not hmac.compare_digest(given.encode(), self.service_token.encode()):
                raise refuse("SERVICE_TOKEN_INVALID")
            return NOBODY
        caller = self.verifier.caller(metadata.get(PASSPORT, ""))
        self.revocations.check(caller)
        return caller

    def _answer(self, rpc: Rpc, request: Message, metadata: dict[str, str]) -> Message:
        caller = self._admitted(rpc, request, metadata)
        kind = "write" if rpc.writes else "moment" if rpc.autocommit else "read"
        with self._sessions[kind]() as session, tracing_refusals(session):
            call = self._call(rpc, caller, session, metadata)
            key = metadata.get(IDEMPOTENCY_KEY) if rpc.writes else None
            if not key:
                response: Message = rpc.function(request, call)
            else:
                response = self._once(call, request, key)
            if rpc.writes:
                session.commit()
            return response

    def _once(self, call: Call, request: Message, key: str) -> Message:
        def run() -> Message:
            answer: Message = call.rpc.function(request, call)
            return answer

        response, repeated = idempotency.once(
            call.session, call.rpc, request, caller_id=call.caller.person_id, key=key, run=run
        )
        getter = self._getters.get(type(response)) if repeated else None
        if getter is None:
            return response
        again = Call(getter, call.caller, call.session, self.trees, self.classes, call.origin)
        current: Message = getter.function(getter.request(id=response.id), again)  # type: ignore[attr-defined]
        return current

    def _call(self, rpc: Rpc, caller: Caller, session: ReachedSession, metadata: dict[str, str]) -> Call:
        return Call(rpc, caller, session, self.trees, self.classes, metadata.get(ORIGIN, ""))

    @cached_property
    def _sessions(self) -> dict[str, sessionmaker[ReachedSession]]:
        """One pool, three ways to use it: a statement by itself, a snapshot, a change."""
        engines = {
            "moment": self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            "read": self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            "write": self.engine,
        }
        return {
            kind: sessionmaker(engine, class_=ReachedSession, autoflush=False, expire_on_commit=False)
            for kind, engine in engines.items()
        }

    @cached_property
    def _getters(self) -> dict[type[Message], Rpc]:
        """Resource type to the RPC that reads one: so a repeated request is answered within today's reach."""
        return {rpc.response: rpc for rpc in self.rpcs if rpc.name == f"Get{rpc.response.DESCRIPTOR.name}"}


NOBODY = Caller(
    person_id=NIL,
    session_id="",
    grants=(),
    issued_at=datetime.min.replace(tzinfo=UTC),
    expires_at=datetime.max.replace(tzinfo=UTC),
)


def validate(request: Message) -> None:
    """Refuse a request that breaks its schema's rules or holds forbidden characters, naming every such field."""
    broken = [violations.told(found) for found in protovalidate.collect_violations(request)]
    updating = "update_mask" in request.DESCRIPTOR.fields_by_name
    if broken and updating:
        broken = [violation for violation in broken if _is_named(violation.field, request)]
    if broken:
        raise InvalidRequest(broken)
    text.demand_legible(request, lambda path: not updating or _is_named(path, request))


def _is_named(path: str, request: Any) -> bool:
    """Whether an update is about this field at all: the rest of a resource need not be there."""
    resource, _, rest = path.partition(".")
    name = re.split(r"[.\[]", rest, maxsplit=1)[0]
    if resource == "update_mask" or name in ("", "id", "etag"):
        return True
    named = {part.split(".", 1)[0] for part in request.update_mask.paths}
    populated = {field.name for field, _ in getattr(request, resource).ListFields()}
    return "*" in named or name in (named or populated)


def _refusal(error: Exception, rpc: Rpc) -> tuple[DomainError, list[FieldViolation]]:
    """What a caller is told of an error; the text of what is not a refusal is withheld."""
    if isinstance(error, DomainError):
        return error, violations_of(error)
    if isinstance(error, InvalidRequest):
        return refuse("INVALID_FIELD"), error.violations
    if isinstance(error, StaleDataError):
        return refuse("VERSION_MISMATCH"), []
    if isinstance(error, IntegrityError):
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
        if constraint in rpc.constraints:
            reason, field = rpc.constraints[constraint]
            refusal = rpc.refuse(reason, field=field)
            return refusal, violations_of(refusal)
        if constraint.startswith("pk_"):
            return refuse("ID_TAKEN"), []
    if isinstance(error, OperationalError | PoolTimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        log.warning("store unavailable in %s: %s", rpc.path, type(error).__name__)
        return refuse("STORE_UNAVAILABLE"), []
    log.exception("fault in %s", rpc.path)
    return refuse("INTERNAL"), []
