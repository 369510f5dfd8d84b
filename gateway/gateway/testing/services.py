"""Real gRPC servers behind the gateway: they record what they are asked, and answer as a test says."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf.message import Message

from chassis.errors import DomainError, refuse
from chassis.pipeline import InvalidRequest
from chassis.status import abort, violations_of
from gateway.catalogue import rpcs
from tongxiao.identity.v1 import session_pb2

PERSON = UUID("01890000-0000-7000-8000-000000000001")
Reply = Message | DomainError | Callable[[Any], Message | DomainError]


@dataclass
class Call:
    """One RPC as it arrived."""

    name: str
    request: Any
    metadata: dict[str, str]
    seconds: float


@dataclass
class Services(grpc.GenericRpcHandler):
    """Answers every RPC of every service as the test says, else with an empty reply; remembers what it was asked."""

    replies: dict[str, Reply] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    revocations: list[session_pb2.Revocation] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._rpcs: dict[str, Any] = {rpc.path: rpc for rpc in rpcs()}

    def know(self, path: str, request: type[Message], reply: type[Message]) -> None:
        """Answer an RPC between processes too, which no gateway calls."""
        self._rpcs[path] = SimpleNamespace(path=path, request=request, reply=reply)

    def reset(self) -> None:
        self.replies.clear()
        self.calls.clear()
        self.revocations.clear()

    def on(self, name: str, reply: Reply) -> None:
        """Answer the RPC `CustomersService.GetCustomer` so."""
        self.replies[name] = reply

    def to(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        path = details.method
        if path.endswith("/ListRevocations"):
            return grpc.unary_unary_rpc_method_handler(
                lambda _request, _context: self._recent(),
                request_deserializer=session_pb2.ListRevocationsRequest.FromString,
                response_serializer=session_pb2.ListRevocationsResponse.SerializeToString,
            )
        rpc = self._rpcs.get(path)
        if rpc is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._answer(path, request, context),
            request_deserializer=rpc.request.FromString,
            response_serializer=rpc.reply.SerializeToString,
        )

    def _answer(self, path: str, request: Any, context: grpc.ServicerContext) -> Message:
        service, method = path.split("/")[1:]
        name = f"{service.rsplit('.', 1)[-1]}.{method}"
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        self.calls.append(Call(name, request, metadata, context.time_remaining() or 0))
        reply = self.replies.get(name) or (_passport if method == "IssuePassport" else self._rpcs[path].reply())
        try:
            found = reply(request) if callable(reply) else reply
        except InvalidRequest as invalid:
            abort(context, refuse("INVALID_FIELD"), invalid.violations)
        if isinstance(found, DomainError):
            abort(context, found, violations_of(found))
        return found

    def _recent(self) -> session_pb2.ListRevocationsResponse:
        answer = session_pb2.ListRevocationsResponse(revocations=self.revocations)
        answer.as_of_time.GetCurrentTime()
        return answer


def _passport(_request: Any) -> session_pb2.IssuePassportResponse:
    answer = session_pb2.IssuePassportResponse(passport=f"passport-{uuid4()}", person_id=str(PERSON))
    answer.expire_time.FromSeconds(int(time.time()) + 600)
    return answer


@contextmanager
def serving(services: Services) -> Iterator[None]:
    server = grpc.server(ThreadPoolExecutor(8), handlers=[services])
    services.port = server.add_insecure_port(f"127.0.0.1:{services.port}")
    server.start()
    yield
    server.stop(grace=None).wait()
