"""Gives a Keycloak that was here before us the realm, if it has none yet."""

import json

from keycloak import KeycloakAdmin

from deploy.keycloak.realm import NAME
from deploy.local.instance import Instance
from deploy.local.parts import keycloak
from deploy.local.progress import SetupError, step


def ensure(instance: Instance) -> None:
    url = instance.given(keycloak.VARIABLE)
    if url is None:
        return
    missing = [name for name in (keycloak.ADMIN_VARIABLE, keycloak.PASSWORD_VARIABLE) if not instance.given(name)]
    if missing:
        raise SetupError(f"{keycloak.VARIABLE} is given, so {' and '.join(missing)} must be too.")
    with step("the realm in the given Keycloak"):
        _create(instance, url)


def _create(instance: Instance, url: str) -> None:
    addresses = keycloak.admin_addresses(instance)
    admin = KeycloakAdmin(
        server_url=url,
        realm_name="master",
        username=addresses[keycloak.ADMIN_VARIABLE],
        password=addresses[keycloak.PASSWORD_VARIABLE],
    )
    if NAME not in {str(realm["realm"]) for realm in admin.get_realms()}:
        admin.create_realm(json.loads(json.dumps(keycloak.realm_document(instance))))
