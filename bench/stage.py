"""The platform as far as a request needs it: gateway and customers as real processes, realm and identity as stand-ins.

The stand-ins answer once a session; nothing they do is part of what is measured.
"""

import base64
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import grpc
import httpx
from joserfc.jwk import RSAKey

from bench import cpu
from bench.data import Person
from chassis import clock, passport
from chassis.caller import Caller, FieldAccess, Grant
from chassis.testing.databases import ServiceDatabase
from chassis.testing.processes import Process, free_port, process_environment, running
from gateway.testing import realm, services
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.common.v1.permission_pb2 import Permission
from tongxiao.customers.v1 import customer_pb2_grpc
from tongxiao.identity.v1 import session_pb2

TOKEN = "bench"
# Of a service that is to do as much as it can: a process a core.
CORES = os.cpu_count() or 1


@dataclass
class Stage:
    """Where the gateway and the service are, and what lets people in."""

    gateway: Process
    customers: Sequence[Process]
    address: str
    target: str
    realm: Realm
    key: RSAKey
    database: ServiceDatabase

    def bearer(self, person: Person) -> str:
        """An access token, whose subject tells the stand-in identity who it is."""
        subject = json.dumps([str(person.id), str(person.unit), str(person.governs or "")])
        return f"Bearer {self.realm.token(sub=subject, exp=int(clock.now().timestamp()) + 7200)}"

    def http(self, person: Person) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers={"Authorization": self.bearer(person)}, timeout=30)

    @contextmanager
    def stub(self) -> Iterator[Any]:
        """The customers service itself, without the gateway."""
        with grpc.insecure_channel(self.target) as channel:
            yield customer_pb2_grpc.CustomersServiceStub(channel)

    def passport(self, person: Person) -> str:
        return passport.sign(caller(person), self.key)

    def spent(self) -> dict[str, float]:
        """Milliseconds of CPU that each part has used until now."""
        return {
            "gateway": cpu.of_process(self.gateway.pid),
            "customers": sum(cpu.of_process(process.pid) for process in self.customers),
            "postgresql": cpu.of_database(self.database),
        }


@contextmanager
def opened(database: ServiceDatabase, *, processes: int = 1) -> Iterator[Stage]:
    """The stage on a filled database, with so many processes of the service."""
    key, identity = RSAKey.generate_key(2048, {"kid": "bench"}, private=True), Services()
    _answer(identity, key)
    one_realm = Realm(RSAKey.generate_key(2048, {"kid": "realm"}, private=True))
    with ExitStack() as stack:
        stack.enter_context(services.serving(identity))
        stack.enter_context(realm.serving(one_realm))
        listen, *targets = (f"127.0.0.1:{free_port()}" for _ in range(1 + processes))
        shared = {
            "TONGXIAO_IDENTITY_TARGET": f"127.0.0.1:{identity.port}",
            "TONGXIAO_CUSTOMERS_TARGET": f"ipv4:{','.join(targets)}",
            "TONGXIAO_SERVICE_TOKEN": TOKEN,
            "TONGXIAO_ISSUER": one_realm.url,
            "TONGXIAO_REQUESTS_PER_MINUTE": "1000000000",
        }
        # Nothing listens at the broker's address: revocations are asked for.
        nowhere = "amqp://127.0.0.1:1/"
        environments = [
            process_environment("serve", database, nowhere, TONGXIAO_LISTEN=target, **shared) for target in targets
        ]
        door = {"TONGXIAO_BROKER_URL": nowhere, "TONGXIAO_LISTEN": listen, **shared}
        customers = [stack.enter_context(running("customers", "serve", found)) for found in environments]
        gateway = stack.enter_context(running("gateway", "serve", door))
        yield Stage(gateway, customers, f"http://{listen}", targets[0], one_realm, key, database)


def caller(person: Person) -> Caller:
    """Somebody who may do everything where they belong."""
    grant = Grant(
        post_id=person.id,
        unit_id=person.unit,
        governs=(person.governs,) if person.governs else (),
        permissions=frozenset(Permission.values()),
        field_rights={"customer.phones": FieldAccess.EDIT},
    )
    now = clock.now()
    return Caller(
        person_id=person.id, session_id="bench", grants=(grant,), issued_at=now, expires_at=now + timedelta(hours=2)
    )


def _answer(identity: Services, key: RSAKey) -> None:
    def issue(request: session_pb2.IssuePassportRequest) -> session_pb2.IssuePassportResponse:
        id_, unit, governs = json.loads(_subject(request.access_token))
        found = caller(Person("", UUID(id_), UUID(unit), UUID(governs) if governs else None))
        answer = session_pb2.IssuePassportResponse(passport=passport.sign(found, key), person_id=id_)
        answer.expire_time.FromDatetime(found.expires_at)
        return answer

    keys = json.dumps({"keys": [key.as_dict(private=False)]})
    identity.on("SessionsService.IssuePassport", issue)
    identity.on("SessionsService.ListPassportKeys", session_pb2.ListPassportKeysResponse(jwks=keys))


def _subject(token: str) -> str:
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    found: str = claims["sub"]
    return found
