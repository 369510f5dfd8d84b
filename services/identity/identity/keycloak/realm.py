"""The realm at Keycloak, as identity's service account sees it: what its library lacks, and what its failures mean."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakConnectionError, KeycloakError
from requests.exceptions import RequestException

from identity.refusals import refuse
from identity.settings import Settings

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Document = dict[str, Any]
# Keycloak answers a thousand in half the time that it takes for five times two hundred.
PAGE = 1000
UNAUTHORIZED, MISSING, CONFLICT = 401, 404, 409


class Realm:
    """One realm. Refuses SIGN_IN_UNAVAILABLE while Keycloak cannot be reached; a lost token is fetched anew, once.

    Who asks takes an idle connection or makes one: the library's are not for sharing.
    """

    def __init__(self, settings: Settings, *, timeout_s: int = 10) -> None:
        self._settings, self._timeout_s = settings, timeout_s
        self._idle: list[KeycloakAdmin] = []

    @property
    def name(self) -> str:
        return self._settings.keycloak_realm

    def ask(self, question: Callable[[KeycloakAdmin], Answer]) -> Answer:
        """What the admin API answers to a question."""
        try:
            return self._asked(question)
        except (KeycloakConnectionError, RequestException) as error:
            log.warning("Keycloak cannot be reached: %s", type(error).__name__)
            self._idle.clear()
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
            if error.response_code != MISSING:
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

    def end_sessions(self, keycloak_id: str, *, begun_before: datetime | None = None) -> None:
        """End every sign-in of a person's; or those from before a moment, so that a late word ends no new one."""
        if begun_before is None:
            self.found(lambda admin: admin.user_logout(keycloak_id))
            return
        for session in self.found(lambda admin: admin.get_sessions(keycloak_id)) or ():
            if session["start"] / 1000 < begun_before.timestamp():
                self.end_session(session["id"])

    def set_password(self, keycloak_id: str, password: str, *, temporary: bool) -> None:
        """Give a person a password; a temporary one must be changed at the next sign-in."""
        self.ask(lambda admin: admin.set_user_password(keycloak_id, password, temporary=temporary))

    def _asked(self, question: Callable[[KeycloakAdmin], Answer]) -> Answer:
        try:
            return self._once(question, self._taken())
        except KeycloakError as error:
            if not isinstance(error, KeycloakAuthenticationError) and error.response_code != UNAUTHORIZED:
                raise
            # Whatever ended the token (a restart, a revocation for all), the library would not fetch another.
            self._idle.clear()
            return self._once(question, self._made())

    def _once(self, question: Callable[[KeycloakAdmin], Answer], admin: KeycloakAdmin) -> Answer:
        answer = question(admin)
        self._idle.append(admin)
        return answer

    def _taken(self) -> KeycloakAdmin:
        try:
            return self._idle.pop()
        except IndexError:
            return self._made()

    def _made(self) -> KeycloakAdmin:
        connection = KeycloakOpenIDConnection(
            server_url=self._settings.keycloak_url,
            realm_name=self.name,
            client_id=self._settings.keycloak_client_id,
            client_secret_key=self._settings.keycloak_client_secret.get_secret_value(),
            grant_type="client_credentials",
            timeout=self._timeout_s,
            max_retries=0,
        )
        made = KeycloakAdmin(connection=connection)
        made.PAGE_SIZE = PAGE
        return made


def _checked(response: Any) -> None:
    if response.status_code >= 400:
        raise KeycloakError(response.text[:200], response_code=response.status_code)
