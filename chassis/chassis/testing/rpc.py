"""A service's real gRPC server in this process, and clients that carry passports minted for the test."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr

from chassis import clock, ids, passport, serve, server, status
from chassis.caller import Caller, FieldAccess, Grant
from chassis.passport import Verifier
from chassis.pipeline import IDEMPOTENCY_KEY, PASSPORT, SERVICE_TOKEN
from chassis.rpc import reasons
from chassis.service import declared
from chassis.settings import ProcessSettings
from chassis.testing.databases import ServiceDatabase
from chassis.testing.processes import PERSONAL_KEY

TOKEN = "token of the tests"  # noqa: S105
KEY = RSAKey.generate_key(2048, {"kid": "tests", "use": "sig"}, private=True)


class Refused(Exception):  # noqa: N818
    """What a service answered in place of a response."""

    def __init__(self, refusal: status.Refusal) -> None:
        super().__init__(f"{refusal.code.name} {refusal.reason} {refusal.metadata} {refusal.violations}")
        self.code, self.reason, self.metadata = refusal.code, refusal.reason, refusal.metadata
        self.fields = [violation.field for violation in refusal.violations]


class NothingRevoked:
    """No session has been revoked, unless the test says so."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None

    def check(self, _caller: Caller) -> None:
        if self.refusal:
            raise self.refusal


@dataclass(frozen=True)
class Client:
    """Calls a service as one person: `client("GetCustomer", id=…)`; raises Refused."""

    door: "Door"
    metadata: tuple[tuple[str, str], ...]
    person_id: UUID
    grants: tuple[Grant, ...] = ()

    @property
    def caller(self) -> Caller:
        """Who the client's passport says it is of."""
        return caller_of(self.person_id, self.grants)

    def __call__(self, name: str, /, *, key: str = "", **fields: Any) -> Any:
        path, asked, answered = self.door.methods[name]
        metadata = (*self.metadata, *([(IDEMPOTENCY_KEY, key)] if key else []))
        stub = self.door.channel.unary_unary(
            path, request_serializer=asked.SerializeToString, response_deserializer=answered.FromString
        )
        try:
            return stub(asked(**fields), metadata=metadata, timeout=20)
        except grpc.RpcError as error:
            refusal = status.read(error)
            _demand_told(path, refusal.reason)
            raise Refused(refusal) from None


# What the chassis refuses in any call.
_IN_ANY = {
    "PERMISSION_MISSING",
    "INVALID_FIELD",
    "FORBIDDEN_CHARACTERS",
    "BLANK",
    "PASSPORT_INVALID",
    "SESSION_REVOKED",
}
_IN_ANY |= {"IDEMPOTENCY_KEY_REUSED", "IN_PROGRESS", "VERSION_MISMATCH", "ID_TAKEN", "NOT_YET_KNOWN", "INTERNAL"}
_IN_ANY |= {"REVOCATIONS_UNKNOWN", "STORE_UNAVAILABLE", "OVERLOADED", "DEADLINE_TOO_SHORT", "SERVICE_TOKEN_INVALID"}


def _demand_told(path: str, reason: str) -> None:
    """Fail a test in which an RPC refuses what its description does not tell: see protos/reasons.py."""
    told = reasons().get(path.strip("/").replace("/", "."))
    assert told is None or reason in told or reason in _IN_ANY, f"{path} is not told to refuse {reason}: make protos"


@dataclass
class Door:
    """A running server and its RPCs."""

    service: str
    channel: grpc.Channel
    methods: dict[str, tuple[str, type[Message], type[Message]]]
    pipeline: Any
    revoked: NothingRevoked = field(default_factory=NothingRevoked)

    def as_(self, *grants: Grant, person_id: UUID | None = None, expired: bool = False) -> Client:
        """A client with a passport of these grants."""
        person = person_id or ids.new_id()
        text = passport.sign(caller_of(person, grants, expired=expired), KEY)
        return Client(self, ((PASSPORT, text),), person, grants)

    def with_passport(self, text: str, *, person_id: UUID | None = None) -> Client:
        return Client(self, ((PASSPORT, text),), person_id or ids.NIL)

    def as_process(self) -> Client:
        """A client with the installation's service token."""
        return Client(self, ((SERVICE_TOKEN, TOKEN),), ids.NIL)


def caller_of(person_id: UUID, grants: tuple[Grant, ...], *, expired: bool = False) -> Caller:
    now = clock.now()
    return Caller(
        person_id=person_id,
        session_id=f"session of {person_id}",
        grants=grants,
        issued_at=now,
        expires_at=now + timedelta(minutes=-1 if expired else 9),
    )


def grant(
    *permissions: int,
    unit: UUID,
    governs: Sequence[UUID] = (),
    fields: dict[str, FieldAccess] | None = None,
) -> Grant:
    """What a post of a test allows."""
    return Grant(
        post_id=ids.new_id(),
        unit_id=unit,
        governs=tuple(governs),
        permissions=frozenset(permissions),
        field_rights=fields or {},
    )


@contextmanager
def opened(database: ServiceDatabase, **settings: Any) -> Iterator[Door]:
    """The door of a service on a test's database."""
    service = declared(database.service)
    values: dict[str, Any] = {"database_url": SecretStr(database.url("api")), "service_token": SecretStr(TOKEN)}
    values["personal_key"] = SecretStr(PERSONAL_KEY)
    made: ProcessSettings = service.settings(**values, **settings)
    verifier, revoked = Verifier(_public), NothingRevoked()
    with serve.pipeline(service, made, verifier=verifier, feed=revoked) as pipeline:
        running, port = server.build(pipeline, listen="127.0.0.1:0", threads=made.threads)
        running.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Door(database.service, channel, _methods(pipeline), pipeline, revoked)
        running.stop(5).wait()


def _public() -> KeySet:
    return KeySet([KEY])


def _methods(pipeline: Any) -> dict[str, tuple[str, type[Message], type[Message]]]:
    return {rpc.name: (rpc.path, rpc.request, rpc.response) for rpc in pipeline.rpcs}
