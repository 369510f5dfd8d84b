"""Long work in this process: a service's desk, whose authority is the test's clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from chassis import files, job_process, serve
from chassis.caller import Caller
from chassis.errors import refuse
from chassis.job_process import Desk
from chassis.service import declared
from chassis.testing.databases import ServiceDatabase
from chassis.testing.processes import PERSONAL_KEY
from chassis.testing.rpc import TOKEN, Client


@dataclass
class Work:
    """A desk and the people whose jobs it does: those whose clients it was told of, with their grants."""

    desk: Desk
    callers: dict[UUID, Caller] = field(default_factory=dict)

    def know(self, client: Client) -> Client:
        """Have this client's person be known, as they are now."""
        self.callers[client.person_id] = client.caller
        return client

    def forget(self, client: Client) -> None:
        """Have this client's person have left."""
        self.callers.pop(client.person_id, None)

    def finish(self) -> int:
        """Do all there is to do; how many steps it took."""
        steps = 0
        while self.desk.turn():
            steps += 1
        return steps


@contextmanager
def working(database: ServiceDatabase, folder: str, **settings: Any) -> Iterator[Work]:
    """The desk of a service on a test's database, with the rights of its process; files lie in a folder."""
    service = declared(database.service)
    values: dict[str, Any] = {"database_url": SecretStr(database.url("jobs")), "service_token": SecretStr(TOKEN)}
    values["personal_key"] = SecretStr(PERSONAL_KEY)
    made = service.settings(**{**values, "job_retry_s": 0, "files_url": f"file://{folder}", **settings})
    files.use(made.files_url)
    callers: dict[UUID, Caller] = {}

    def of(person_id: UUID) -> Caller:
        if person_id not in callers:
            raise refuse("PERMISSION_MISSING")
        return callers[person_id]

    with serve.engine_of(service, made, "jobs") as engine:
        yield Work(job_process.desk_of(service, made, engine, of), callers)
