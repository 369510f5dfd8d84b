"""A token is exchanged once, its passport kept fresh, and nothing outlives a revocation."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from chassis.errors import Refusals, refuse
from chassis.testing import eventually
from gateway import sessions
from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.identity.v1 import reason_pb2, session_pb2

PERSON = "01890000-0000-7000-8000-000000000001"
refuse_identity = Refusals(reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"])


def exchanges(services: Services) -> int:
    return len(services.to("SessionsService.IssuePassport"))


def revocation(*, session_id: str = "", rights_only: bool = False, ago: float = 0) -> session_pb2.Revocation:
    found = session_pb2.Revocation(person_id=PERSON, session_id=session_id, rights_only=rights_only)
    found.revoke_time.FromMilliseconds(int((time.time() - ago) * 1000))
    return found


def passport(services: Services) -> str:
    return services.to("SessionsService.GetMe")[-1].metadata["tongxiao-passport"]


@pytest.fixture
def own_gateway(start_gateway: Start, services: Services) -> Iterator[httpx.Client]:
    with start_gateway() as url, httpx.Client(base_url=url) as client:
        yield client


def test_a_token_is_exchanged_once(api: httpx.Client, services: Services) -> None:
    for _ in range(3):
        assert api.get("/v1/me").status_code == 200
    assert exchanges(services) == 1


def test_what_identity_refuses_the_client_is_told(api: httpx.Client, services: Services) -> None:
    services.on("SessionsService.IssuePassport", refuse_identity("NO_POST"))
    answer = api.get("/v1/me")
    assert answer.json()["reason"] == "NO_POST"


def test_a_passport_is_refreshed_in_the_background(
    api: httpx.Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REFRESH_S", 0)
    api.get("/v1/me")
    first = passport(services)

    def renewed() -> bool:
        api.get("/v1/me")
        return passport(services) != first

    eventually(renewed)


def test_a_passport_serves_on_while_identity_is_away(
    api: httpx.Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REFRESH_S", 0)
    api.get("/v1/me")
    services.on("SessionsService.IssuePassport", refuse("STORE_UNAVAILABLE"))
    for _ in range(5):
        assert api.get("/v1/me").status_code == 200


def test_an_expired_passport_is_never_used(api: httpx.Client, services: Services) -> None:
    def stale(_request: object) -> session_pb2.IssuePassportResponse:
        found = session_pb2.IssuePassportResponse(passport="stale", person_id=PERSON)
        found.expire_time.FromSeconds(int(time.time()) - 1)
        return found

    services.on("SessionsService.IssuePassport", stale)
    api.get("/v1/me")
    services.on("SessionsService.IssuePassport", refuse("STORE_UNAVAILABLE"))
    assert api.get("/v1/me").status_code == 503


def test_a_passport_that_a_service_no_longer_takes_is_renewed_once(api: httpx.Client, services: Services) -> None:
    api.get("/v1/me")
    used = passport(services)
    services.on("SessionsService.GetMe", lambda _: me() if passport(services) != used else refuse("SESSION_REVOKED"))
    assert api.get("/v1/me").status_code == 200
    assert exchanges(services) == 2


def me() -> session_pb2.Me:
    return session_pb2.Me(name="王")


def test_a_service_that_takes_no_passport_is_asked_twice_only(api: httpx.Client, services: Services) -> None:
    services.on("SessionsService.GetMe", refuse("PASSPORT_INVALID"))
    assert api.get("/v1/me").status_code == 401
    assert len(services.to("SessionsService.GetMe")) == 2


def test_a_revoked_session_is_out_whenever_its_token_was_issued(
    own_gateway: httpx.Client, services: Services, realm: Realm
) -> None:
    sid = str(uuid4())
    gone, other = realm.token(sid=sid), realm.token()
    assert own_gateway.get("/v1/me", headers=bearer(gone)).status_code == 200
    services.revocations.append(revocation(session_id=sid))
    eventually(lambda: own_gateway.get("/v1/me", headers=bearer(gone)).status_code == 401)
    assert own_gateway.get("/v1/me", headers=bearer(gone)).json()["reason"] == "SESSION_REVOKED"
    assert own_gateway.get("/v1/me", headers=bearer(other)).status_code == 200


def test_a_revoked_persons_earlier_tokens_are_out_and_later_ones_are_not(
    own_gateway: httpx.Client, services: Services, realm: Realm
) -> None:
    old, new = realm.token(iat=int(time.time()) - 100), realm.token()
    services.revocations.append(revocation(ago=50))
    eventually(lambda: own_gateway.get("/v1/me", headers=bearer(old)).status_code == 401)
    assert own_gateway.get("/v1/me", headers=bearer(new)).status_code == 200


def test_changed_rights_cost_a_new_passport_and_no_sign_in(
    own_gateway: httpx.Client, services: Services, realm: Realm
) -> None:
    token = realm.token(iat=int(time.time()) - 100)
    own_gateway.get("/v1/me", headers=bearer(token))
    first = passport(services)
    services.revocations.append(revocation(rights_only=True))

    def renewed() -> bool:
        assert own_gateway.get("/v1/me", headers=bearer(token)).status_code == 200
        return passport(services) != first

    eventually(renewed)


def test_while_revocations_are_unknown_nobody_is_let_in(start_gateway: Start, services: Services, realm: Realm) -> None:
    with start_gateway(identity_target="127.0.0.1:1", revocation_grace_s=0.1) as url:
        answer = httpx.get(f"{url}/v1/me", headers=bearer(realm.token()))
        assert (answer.status_code, answer.json()["reason"]) == (503, "REVOCATIONS_UNKNOWN")
        assert httpx.get(f"{url}/health/ready").status_code == 503
        assert httpx.get(f"{url}/health").status_code == 200


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
