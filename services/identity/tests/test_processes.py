"""Identity as it runs: its own processes, a real broker, a real Keycloak, a real sign-in."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import backfill, reconcile
from chassis.channels import channel
from chassis.database import transaction
from chassis.org_projections import PROJECTIONS
from chassis.testing import ServiceDatabase, eventually, process_environment, running
from chassis.testing.processes import free_port
from identity import bootstrap
from identity.keycloak import telling
from tongxiao.identity.v1 import session_pb2, session_pb2_grpc

from .conftest import Company
from .realms import TestRealm

PASSWORD, TOKEN = "correct-horse-battery", "token of the processes"


@dataclass
class Running:
    """The service's address, and its stub for sessions."""

    target: str
    sessions: session_pb2_grpc.SessionsServiceStub

    def passport(self, tokens: dict[str, Any]) -> str:
        """A passport, or the code of the refusal."""
        request = session_pb2.IssuePassportRequest(access_token=tokens["access_token"])
        try:
            return str(self.sessions.IssuePassport(request, timeout=10).passport)
        except grpc.RpcError as error:
            return str(error.code().name)


@contextmanager
def service(firm: Company, realm: TestRealm, vhost: str, folder: Path) -> Iterator[Running]:
    """All three processes of the service, healthy."""
    target = f"127.0.0.1:{free_port()}"
    more = {
        **realm.environment(),
        "TONGXIAO_LISTEN": target,
        "TONGXIAO_IDENTITY_TARGET": target,
        "TONGXIAO_SIGNING_KEY_DIR": str(folder),
        "TONGXIAO_SERVICE_TOKEN": TOKEN,
    }
    with ExitStack() as stack:
        for kind in ("work", "relay", "serve"):
            stack.enter_context(running("identity", kind, process_environment(kind, firm.database, vhost, **more)))
        with channel(target) as opened:
            yield Running(target, session_pb2_grpc.SessionsServiceStub(opened))


@pytest.fixture
def started(
    firm: Company, realm: TestRealm, fresh_vhost: str, signing_folder: Path
) -> Iterator[tuple[Company, TestRealm, Running]]:
    with service(firm, realm, fresh_vhost, signing_folder) as found:
        yield firm, realm, found


def test_an_organisation_is_told_to_keycloak_and_its_people_come_and_go(
    started: tuple[Company, TestRealm, Running],
) -> None:
    """Hired, signed in with a real token, suspended: out of Keycloak and without passport within five seconds."""
    firm, realm, found = started
    eventually(lambda: realm.roles_of("seller") == {"salesperson"}, timeout=60)
    keycloak_id = bootstrap.keycloak_ids(firm.database.engine("worker"))[firm.person["seller"]]
    assert keycloak_id
    realm.realm.set_password(keycloak_id, PASSWORD, temporary=False)
    tokens = realm.sign_in("seller", PASSWORD)
    assert found.passport(tokens).count(".") == 2
    begun = time.monotonic()
    firm.as_("admin")("SuspendEmployee", id=str(firm.person["seller"]), etag="*")
    assert found.passport(tokens) == "UNAUTHENTICATED"
    eventually(lambda: realm.user("seller")["enabled"] is False, timeout=5)  # type: ignore[index]
    assert time.monotonic() - begun < 5
    firm.as_("admin")("MoveUnit", id=str(firm.unit["h2"]), parent_id=str(firm.unit["shenzhen"]), etag="*")
    eventually(lambda: [group["name"] for group in realm.children("/hq/shenzhen")] == ["h2", "s1"], timeout=10)


def test_a_projection_is_filled_from_identitys_snapshot(
    started: tuple[Company, TestRealm, Running], service_databases: Any
) -> None:
    firm, _realm, found = started
    other: ServiceDatabase = service_databases.fresh("probe")
    owner = backfill.Owner(found.target, TOKEN)
    for projection in PROJECTIONS:
        backfill.fill(other.engine("worker"), owner, projection, consumer="probe")
        assert list(reconcile.compare(other.engine("worker"), owner, projection)) == []
    tables = ("org_units ORDER BY id", "org_closure ORDER BY 1, 2", "org_people ORDER BY id")
    with other.engine("owner").connect() as theirs, firm.database.engine("owner").connect() as ours:
        for table in tables:
            statement = f"SELECT * FROM {table}"
            assert theirs.exec_driver_sql(statement).all() == ours.exec_driver_sql(statement).all()


def test_what_happened_while_the_worker_was_down_is_told_later(
    firm: Company, realm: TestRealm, fresh_vhost: str, signing_folder: Path
) -> None:
    firm.as_("admin")("UpdateEmployee", employee={"id": str(firm.person["seller"]), "etag": "*", "name": "新名字"})
    with transaction(firm.database.engine("worker")) as session:
        telling.tell(session, realm.realm, telling.GROUP, [firm.unit["hq"]])
    with service(firm, realm, fresh_vhost, signing_folder):
        eventually(lambda: (realm.user("seller") or {}).get("firstName") == "新名字", timeout=60)
