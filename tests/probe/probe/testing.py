"""The probe service under test: its processes, its notes, its queues."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pika
from sqlalchemy import select, text

from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.testing.databases import ServiceDatabase
from chassis.testing.processes import Process, process_environment, running

# Short enough not to be waited for, far enough apart to be told from each other.
QUICK = {"TONGXIAO_RETRY_DELAYS_S": "[0.1, 0.4]", "TONGXIAO_UNROUTABLE_RETRY_S": "0.5"}


@dataclass
class Taken:
    """A message in a queue, taken out."""

    headers: dict[str, Any]
    properties: Any
    body: bytes


@dataclass
class Probe:
    """A probe on a database and a broker of its own."""

    database: ServiceDatabase
    broker_url: str
    variables: dict[str, str] = field(default_factory=lambda: dict(QUICK))

    @contextmanager
    def run(self, kind: str, **variables: str) -> Iterator[Process]:
        more = {**self.variables, **variables}
        with running("probe", kind, process_environment(kind, self.database, self.broker_url, **more)) as process:
            yield process

    def write(self, says: str, **options: Any) -> Envelope:
        """Have the probe write a note, with the rights of its API."""
        from probe import notes

        with transaction(self.database.engine("api")) as session:
            return notes.write(session, says, **options)

    def value(self, query: str, **parameters: Any) -> Any:
        """One value from the database, by its owner's rights."""
        with self.database.engine("owner").connect() as connection:
            return connection.scalar(text(query), parameters)

    def handled(self, event: Envelope) -> int:
        """How often the event's note was handled."""
        from probe.model import ProbeNote

        with self.database.engine("owner").connect() as connection:
            found = connection.scalar(select(ProbeNote.handled).where(ProbeNote.id == UUID(event.subject)))
            return found or 0

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel to the broker, confirming what is published."""
        connection = pika.BlockingConnection(pika.URLParameters(self.broker_url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            connection.close()

    def depth(self, queue: str) -> int:
        """How many messages lie ready in a queue."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def take(self, queue: str) -> Taken | None:
        """The first message of a queue, taken out."""
        with self.channel() as channel:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            return Taken(properties.headers or {}, properties, body) if method else None
