"""What the realm promises: who may sign in how, and what a token says."""

import json
from typing import Any

import pytest

from deploy.keycloak.realm import realm

ORIGINS = ["http://localhost:27000", "http://127.0.0.1:27000"]


def document(*, for_tests: bool = False) -> dict[str, Any]:
    return json.loads(json.dumps(realm(ORIGINS, service_secret="s", for_tests=for_tests)))  # type: ignore[no-any-return]


def client(name: str, *, for_tests: bool = False) -> dict[str, Any]:
    return next(c for c in document(for_tests=for_tests)["clients"] if c["clientId"] == name)


def test_the_web_signs_in_by_code_with_pkce_only() -> None:
    web = client("tongxiao-web")

    assert web["attributes"]["pkce.code.challenge.method"] == "S256"
    assert web["standardFlowEnabled"]
    assert not web["directAccessGrantsEnabled"]
    assert not web["implicitFlowEnabled"]
    assert web["redirectUris"] == ["http://localhost:27000/*", "http://127.0.0.1:27000/*"]


def test_passwords_are_traded_for_tokens_in_the_realm_for_tests_only() -> None:
    assert client("tongxiao-test", for_tests=True)["directAccessGrantsEnabled"]
    assert "tongxiao-test" not in {c["clientId"] for c in document()["clients"]}


def test_no_client_scope_is_named() -> None:
    """Keycloak would leave out its own scopes, and tokens would lack their subject."""
    assert "clientScopes" not in document()


def test_every_claim_of_an_attribute_has_its_attribute_declared() -> None:
    (provider,) = document()["components"]["org.keycloak.userprofile.UserProfileProvider"]
    profile = json.loads(provider["config"]["kc.user.profile.config"][0])
    declared = {attribute["name"] for attribute in profile["attributes"]}
    mapped = {
        m["config"]["user.attribute"]
        for m in client("tongxiao-web")["protocolMappers"]
        if "user.attribute" in m["config"]
    }

    assert mapped <= declared


def test_people_change_nothing_about_themselves_here() -> None:
    (provider,) = document()["components"]["org.keycloak.userprofile.UserProfileProvider"]
    profile = json.loads(provider["config"]["kc.user.profile.config"][0])

    assert all(attribute["permissions"]["edit"] == ["admin"] for attribute in profile["attributes"])


@pytest.mark.parametrize(
    ("role", "below"), [("director", "manager"), ("manager", "supervisor"), ("supervisor", "salesperson")]
)
def test_each_role_holds_the_one_below(role: str, below: str) -> None:
    roles = {r["name"]: r for r in document()["roles"]["realm"]}

    assert roles[role]["composites"]["realm"] == [below]


def test_refresh_tokens_are_good_once() -> None:
    assert document()["revokeRefreshToken"]
    assert document()["refreshTokenMaxReuse"] == 0


def test_organizations_are_off() -> None:
    assert not document()["organizationsEnabled"]
    assert not document()["adminPermissionsEnabled"]
