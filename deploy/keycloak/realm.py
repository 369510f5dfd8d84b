"""Builds the realm `tongxiao`: languages, sessions, roles, clients. People and units come later, from identity."""

from collections.abc import Sequence
from itertools import pairwise

from deploy.keycloak import clients, user_profile

NAME = "tongxiao"
WEB_CLIENT = "tongxiao-web"
SERVICE_CLIENT = "svc-identity"
TEST_CLIENT = "tongxiao-test"

# Each role holds the next one, so a director's token lists all four.
LADDER = ("director", "manager", "supervisor", "salesperson")
STANDALONE = ("admin", "finance", "knowledge_editor")

LOGIN_EVENTS = ("LOGIN", "LOGIN_ERROR", "LOGOUT", "CODE_TO_TOKEN_ERROR", "REFRESH_TOKEN_ERROR", "CLIENT_LOGIN_ERROR")

Document = dict[str, object]


def realm(origins: Sequence[str], *, service_secret: str, for_tests: bool) -> Document:
    """The document Keycloak imports. Only the realm for tests has the client that trades passwords for tokens.

    It names no client scopes: as soon as one stands here, Keycloak leaves out its own, `sub` among them.
    """
    people = [clients.web(WEB_CLIENT, origins), *([clients.for_tests(TEST_CLIENT)] if for_tests else [])]
    return {
        "realm": NAME,
        "enabled": True,
        "displayName": "通销 Tongxiao",
        "sslRequired": "external",
        # Identity may rename an account; people may not: the profile leaves the name to administrators.
        "editUsernameAllowed": True,
        **_languages(),
        **_sessions(),
        **_guessing(for_tests=for_tests),
        **_events(),
        "organizationsEnabled": False,
        "adminPermissionsEnabled": False,
        "roles": {"realm": roles()},
        "clients": [*people, clients.service(SERVICE_CLIENT, secret=service_secret)],
        "scopeMappings": [{"client": client["clientId"], "roles": [*LADDER, *STANDALONE]} for client in people],
        "users": [clients.service_account(SERVICE_CLIENT)],
        "components": user_profile.components(),
    }


def roles() -> list[Document]:
    """The ladder's composite roles and the ones that stand alone."""
    composites = [_holding(upper, lower) for upper, lower in pairwise(LADDER)]
    plain: list[Document] = [{"name": name} for name in (LADDER[-1], *STANDALONE)]
    return [*composites, *plain]


def _holding(upper: str, lower: str) -> Document:
    return {"name": upper, "composite": True, "composites": {"realm": [lower]}}


def _languages() -> Document:
    return {"internationalizationEnabled": True, "supportedLocales": ["zh-CN", "en"], "defaultLocale": "zh-CN"}


def _sessions() -> Document:
    return {
        "accessTokenLifespan": 300,
        "ssoSessionIdleTimeout": 1800,
        "ssoSessionMaxLifespan": 36000,
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
    }


def _guessing(*, for_tests: bool) -> Document:
    """Two wrong passwords within a second would lock a hasty typist out: the quick check looks at 200 ms only."""
    return {
        "bruteForceProtected": True,
        "failureFactor": 5,
        "quickLoginCheckMilliSeconds": 200,
        "minimumQuickLoginWaitSeconds": 5 if for_tests else 60,
        "waitIncrementSeconds": 60,
        "maxFailureWaitSeconds": 900,
        "maxDeltaTimeSeconds": 43200,
        "passwordPolicy": "length(10) and notUsername and passwordHistory(3)",
    }


def _events() -> Document:
    return {
        "eventsEnabled": True,
        "eventsExpiration": 2592000,
        "enabledEventTypes": list(LOGIN_EVENTS),
        "eventsListeners": ["jboss-logging"],
        "adminEventsEnabled": True,
        "adminEventsDetailsEnabled": False,
    }
