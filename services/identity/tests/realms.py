"""A realm of the tests' own at the real Keycloak, and people who sign in to it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakError
from pydantic import SecretStr

from chassis.testing import Environment, ServiceDatabase
from deploy.keycloak import realm as document
from identity.keycloak.realm import Realm
from identity.settings import Settings

SECRET = "a secret of the tests"


@dataclass
class TestRealm:
    """The realm, as identity sees it and as its administrator does."""

    realm: Realm
    settings: Settings
    admin: KeycloakAdmin

    __test__ = False

    @property
    def url(self) -> str:
        return f"{self.settings.keycloak_url}/realms/{self.settings.keycloak_realm}"

    def environment(self) -> dict[str, str]:
        """What identity's processes must be told to use it."""
        return {
            "TONGXIAO_KEYCLOAK_URL": self.settings.keycloak_url,
            "TONGXIAO_KEYCLOAK_REALM": self.settings.keycloak_realm,
            "TONGXIAO_KEYCLOAK_CLIENT_SECRET": SECRET,
            "TONGXIAO_ISSUER": self.settings.issuer,
        }

    def sign_in(self, username: str, password: str) -> dict[str, Any]:
        """Tokens for a password."""
        return self._tokens(grant_type="password", username=username, password=password)

    def refresh(self, tokens: dict[str, Any]) -> dict[str, Any]:
        return self._tokens(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def user(self, username: str) -> dict[str, Any] | None:
        found = self.admin.get_users({"username": username, "exact": "true", "first": 0, "max": 1})
        return dict(found[0]) if found else None

    def groups_of(self, username: str) -> list[str]:
        user = self.user(username)
        return sorted(group["path"] for group in self.admin.get_user_groups(user["id"])) if user else []

    def roles_of(self, username: str) -> set[str]:
        user = self.user(username)
        found = self.admin.get_realm_roles_of_user(user["id"]) if user else []
        return {role["name"] for role in found if not role["name"].startswith("default-roles-")}

    def children(self, path: str) -> list[dict[str, Any]]:
        return list(self.admin.get_group_children(self.admin.get_group_by_path(path)["id"]))

    def void_tokens(self) -> None:
        """Void every token issued until now, the service account's too."""
        self.admin.update_realm(self.settings.keycloak_realm, {"notBefore": int(time.time()) + 1})
        time.sleep(2.1)

    def clear(self) -> None:
        """Put the realm back to how it was made."""
        for user in self.admin.get_users({}):
            self.admin.delete_user(user["id"])
        for group in self.admin.get_groups({"first": 0, "max": 100}):
            self.admin.delete_group(group["id"])

    def _tokens(self, **form: str) -> dict[str, Any]:
        address = f"{self.url}/protocol/openid-connect/token"
        answer = httpx.post(address, data={"client_id": document.TEST_CLIENT, "scope": "openid", **form})
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def made(environment: Environment, database: ServiceDatabase, name: str) -> Iterator[TestRealm]:
    """An empty realm like the product's, for as long as the context lasts."""
    url = environment["TONGXIAO_KEYCLOAK_URL"]
    admin = KeycloakAdmin(
        server_url=url,
        username=environment["TONGXIAO_KEYCLOAK_ADMIN"],
        password=environment["TONGXIAO_KEYCLOAK_ADMIN_PASSWORD"],
        realm_name="master",
        timeout=120,
        max_retries=0,
    )
    described = json.loads(json.dumps(document.realm([], service_secret=SECRET, for_tests=True)))
    _delete(admin, name)
    admin.create_realm({**described, "realm": name})
    admin.connection.realm_name = name
    settings = Settings(
        database_url=SecretStr(database.url("worker")),
        keycloak_url=url,
        keycloak_realm=name,
        keycloak_client_secret=SecretStr(SECRET),
        issuer=f"{url}/realms/{name}",
    )
    try:
        yield TestRealm(Realm(settings), settings, admin)
    finally:
        admin.connection.realm_name = "master"
        _delete(admin, name)


def _delete(admin: KeycloakAdmin, name: str) -> None:
    try:
        admin.delete_realm(name)
    except KeycloakError as error:
        if error.response_code != 404:
            raise
