"""The realm at Keycloak, as identity's service account sees it: what its library lacks, and what its failures mean."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakConnectionError, KeycloakError
from requests.exceptions import RequestException

from identity.refusals import refuse
from identity.settings import Settings

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Document = dict[str, Any]
PAGE = 200
_AUTH = (401,)


class Realm:
    """One realm. Refuses SIGN_IN_UNAVAILABLE while Keycloak cannot be reached; a lost token is fetched anew, once.

    Each thread has a connection of its own: the library's are not for sharing.
    """

    def __init__(self, settings: Settings, *, timeout_s: int = 10) -> None:
        self._settings, self._timeout_s = settings, timeout_s
        self._mine = threading.local()

    @property
    def name(self) -> str:
        return self._settings.keycloak_realm

    def ask(self, question: Callable[[KeycloakAdmin], Answer]) -> Answer:
        """What the admin API answers to a question."""
        try:
            return self._asked(question)
        except (KeycloakConnectionError, RequestException) as error:
            log.warning("Keycloak cannot be reached: %s", type(error).__name__)
            self._forget()
            raise refuse("SIGN_IN_UNAVAILABLE") from error
        except KeycloakError as error:
            if (error.response_code or 0) >= 500:
                raise refuse("SIGN_IN_UNAVAILABLE") from error
            raise

    def found(self, question: Callable[[KeycloakAdmin], Answer]) -> Answer | None:
        """What the admin API answers, or nothing where what is asked for is not there."""
        try:
            return self.ask(question)
        except KeycloakError as error:
            if error.response_code != 404:
                raise
            return None

    def pages(self, question: Callable[[KeycloakAdmin, Document], list[Document]]) -> Iterator[Document]:
        """All that a listing holds, page by page."""
        first = 0
        while True:
            query = {"first": first, "max": PAGE}
            page = self.ask(lambda admin, query=query: question(admin, query))  # type: ignore[misc]
            yield from page
            if len(page) < PAGE:
                return
            first += PAGE

    def move_group(self, group_id: str, *, name: str, parent_id: str) -> None:
        """Put a group below another: Keycloak's way to say it answers 204, which the library takes for a failure."""
        path = f"admin/realms/{self.name}/groups/{parent_id}/children"
        body = json.dumps({"id": group_id, "name": name})
        self.ask(lambda admin: _checked(admin.connection.raw_post(path, data=body)))

    def end_session(self, session_id: str) -> None:
        """End one sign-in; one that is over already is none."""
        path = f"admin/realms/{self.name}/sessions/{session_id}"
        self.found(lambda admin: _checked(admin.connection.raw_delete(path)))

    def end_sessions(self, keycloak_id: str) -> None:
        """End every sign-in of a person's."""
        self.found(lambda admin: admin.user_logout(keycloak_id))

    def set_password(self, keycloak_id: str, password: str, *, temporary: bool) -> None:
        """Give a person a password; a temporary one must be changed at the next sign-in."""
        self.ask(lambda admin: admin.set_user_password(keycloak_id, password, temporary=temporary))

    def _asked(self, question: Callable[[KeycloakAdmin], Answer]) -> Answer:
        try:
            return question(self._admin())
        except KeycloakError as error:
            if not isinstance(error, KeycloakAuthenticationError) and error.response_code not in _AUTH:
                raise
            # Whatever ended the token (a restart, a revocation for all), the library would not fetch another.
            self._forget()
            return question(self._admin())

    def _admin(self) -> KeycloakAdmin:
        if not hasattr(self._mine, "admin"):
            connection = KeycloakOpenIDConnection(
                server_url=self._settings.keycloak_url,
                realm_name=self.name,
                client_id=self._settings.keycloak_client_id,
                client_secret_key=self._settings.keycloak_client_secret.get_secret_value(),
                grant_type="client_credentials",
                timeout=self._timeout_s,
                max_retries=0,
            )
            self._mine.admin = KeycloakAdmin(connection=connection)
        admin: KeycloakAdmin = self._mine.admin
        return admin

    def _forget(self) -> None:
        if hasattr(self._mine, "admin"):
            del self._mine.admin


def _checked(response: Any) -> None:
    if response.status_code >= 400:
        raise KeycloakError(response.text[:200], response_code=response.status_code)
