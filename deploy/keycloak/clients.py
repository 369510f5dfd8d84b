"""The realm's clients: the web, the service that writes the realm, and one for tests."""

from collections.abc import Sequence

from deploy.keycloak import mappers

Document = dict[str, object]

AUDIENCE = "tongxiao-api"
# `basic` carries `sub` and `sid`; our own claims say the rest in a third of the bytes.
DEFAULT_SCOPES = ["basic"]
OPTIONAL_SCOPES = ["offline_access"]
# What identity must do: keep people, groups and role grants in step, and end sessions.
SERVICE_RIGHTS = ("manage-users", "view-users", "query-users", "query-groups", "view-realm", "view-events")


def web(client_id: str, origins: Sequence[str]) -> Document:
    """The browser's client: a code with PKCE or nothing."""
    return {
        **_public(client_id),
        "name": "通销 Tongxiao",
        "standardFlowEnabled": True,
        "redirectUris": [f"{origin}/*" for origin in origins],
        "webOrigins": ["+"],
        "attributes": {"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": "+"},
    }


def for_tests(client_id: str) -> Document:
    """Trades a password for a token in one call."""
    return {**_public(client_id), "directAccessGrantsEnabled": True}


def service(client_id: str, *, secret: str) -> Document:
    """A confidential client with an account of its own."""
    return {
        "clientId": client_id,
        "enabled": True,
        "publicClient": False,
        "clientAuthenticatorType": "client-secret",
        "secret": secret,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
    }


def service_account(client_id: str) -> Document:
    return {
        "username": f"service-account-{client_id}",
        "enabled": True,
        "serviceAccountClientId": client_id,
        "clientRoles": {"realm-management": list(SERVICE_RIGHTS)},
    }


def _public(client_id: str) -> Document:
    return {
        "clientId": client_id,
        "enabled": True,
        "publicClient": True,
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        # The realm names the roles a token may list: Keycloak's own three would only make it longer.
        "fullScopeAllowed": False,
        "defaultClientScopes": DEFAULT_SCOPES,
        "optionalClientScopes": OPTIONAL_SCOPES,
        "protocolMappers": [mappers.audience(AUDIENCE), mappers.realm_roles("roles"), mappers.attribute("employee_id")],
    }
