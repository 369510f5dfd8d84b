"""The relay: sends a service's outbox to the topic exchange `<service>.events`, at least once, people's events first.

Lane 0 goes out by the event's type as routing key, lane 1 (bulk work) by `<type>.bulk`, so that each consumer keeps the
two in separate queues; whoever binds `<type>.#` gets both. One relay leads, by a lock that the very connection holds
which reads the outbox: without its database it leads no longer. What no queue is bound for is marked and tried again
at leisure. Rows are taken by what is not yet published, never by the last id seen: ids are not in order of commit.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from opentelemetry import propagate, trace
from pika.spec import BasicProperties
from psycopg.rows import class_row
from sqlalchemy import make_url

from chassis import duties, health, process, telemetry
from chassis.database import ALIVE
from chassis.duties import Duty
from chassis.publisher import BrokerLostError, Outcome, Outgoing, Publisher
from chassis.service import ServiceProcesses
from chassis.settings import ProcessSettings

log = logging.getLogger(__name__)

# A bulk batch is small, so that a person's event waits for little.
BATCHES = {0: 500, 1: 200}
LEAD = "SELECT pg_try_advisory_lock(hashtext('relay'))"
STANDBY_S = 0.5
RESTING_S = 1.0

TAKE = """
SELECT id, event_id, type, lane, envelope, headers FROM outbox
WHERE published_at IS NULL AND unroutable_at IS NULL AND lane = %s ORDER BY id LIMIT %s
"""
SETTLE = """
UPDATE outbox SET published_at = clock_timestamp()
WHERE published_at IS NULL AND unroutable_at IS NULL AND lane = %s AND id = ANY(%s)
"""
MARK = """
UPDATE outbox SET unroutable_at = clock_timestamp()
WHERE published_at IS NULL AND unroutable_at IS NULL AND lane = %s AND id = ANY(%s)
"""
SESSION = (
    "-c timezone=UTC -c statement_timeout=10000 -c lock_timeout=5000 "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


@dataclass(frozen=True)
class Row:
    """An event waiting in the outbox."""

    id: int
    event_id: UUID
    type: str
    lane: int
    envelope: bytes
    headers: dict[str, str]


@dataclass
class State:
    """What the health page says."""

    role: str = "starting"
    trouble: str = ""

    def check(self) -> str:
        if self.trouble:
            raise RuntimeError(self.trouble)
        return self.role


def run(service: ServiceProcesses, settings: ProcessSettings, _arguments: Sequence[str]) -> int:
    """The process `relay`: leads, or stands by, until it is told to stop."""
    stop, state, due = process.stopping(), State(), duties.of_relay(service.name, settings)
    with health.page(settings.health_listen, {"relay": state.check}):
        while not stop.is_set():
            try:
                _turn(service.name, settings, due=due, stop=stop, state=state)
            except (psycopg.Error, BrokerLostError) as error:
                state.trouble = f"{type(error).__name__}"
                log.warning("relay interrupted: %s: %s", type(error).__name__, error)
                stop.wait(RESTING_S)
    return 0


def _turn(name: str, settings: ProcessSettings, *, due: Sequence[Duty], stop: threading.Event, state: State) -> None:
    """Stand by until the lock is free, then lead until told to stop or something breaks."""
    with _connected(settings.database_url.get_secret_value(), name=name) as connection:
        state.role, state.trouble = "standby", ""
        while not _leads(connection):
            if stop.wait(STANDBY_S):
                return
        # What is due in the database is done while the broker is away, too.
        duties.perform(due, connection)
        publisher = _publisher(name, settings)
        with closing(publisher):
            publisher.open()
            state.role, state.trouble = "leading", ""
            log.info("relay leads")
            _lead(connection, publisher, due=due, stop=stop)


def _publisher(name: str, settings: ProcessSettings) -> Publisher:
    url = settings.broker_url.get_secret_value()
    return Publisher(url, exchange=f"{name}.events", name=f"{name}-relay", heartbeat_s=settings.heartbeat_s)


def _lead(connection: psycopg.Connection, publisher: Publisher, *, due: Sequence[Duty], stop: threading.Event) -> None:
    connection.execute("LISTEN outbox")
    while not stop.is_set():
        duties.perform(due, connection)
        rows = take(connection)
        if not rows:
            _await_more(connection, min(RESTING_S, duties.due_in(due)))
            publisher.check()
        elif not settle(connection, rows, _publish(publisher, rows)):
            stop.wait(RESTING_S)


def take(connection: psycopg.Connection) -> list[Row]:
    """The next batch, of one lane: bulk only when nobody else waits."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        for lane, limit in BATCHES.items():
            if rows := cursor.execute(TAKE, (lane, limit)).fetchall():
                return rows
    return []


def settle(connection: psycopg.Connection, rows: Sequence[Row], outcome: Outcome) -> int:
    """Note what became of a batch; how many rows that settled, the others wait on."""
    lane = rows[0].lane
    sent = [row.id for row in rows if row.event_id in outcome.confirmed]
    stray = [row.id for row in rows if row.event_id in outcome.unroutable]
    connection.execute(SETTLE, (lane, sent))
    telemetry.published.add(len(sent))
    if stray:
        connection.execute(MARK, (lane, stray))
        telemetry.unroutable.add(len(stray))
        log.warning("no queue is bound for %s", sorted({row.type for row in rows if row.id in set(stray)}))
    return len(sent) + len(stray)


def message(row: Row, headers: dict[str, str]) -> Outgoing:
    """The message that an outbox row becomes."""
    properties = BasicProperties(
        message_id=str(row.event_id),
        type=row.type,
        content_type="application/cloudevents+json",
        delivery_mode=2,
        headers=headers,
    )
    return Outgoing(row.event_id, f"{row.type}.bulk" if row.lane else row.type, row.envelope, properties)


def _publish(publisher: Publisher, rows: Sequence[Row]) -> Outcome:
    """Send a batch, each event within the trace that it was written in."""
    spans = [
        telemetry.tracer.start_span(f"{row.type} publish", telemetry.carried(row.headers), trace.SpanKind.PRODUCER)
        for row in rows
    ]
    outcome = publisher.publish([message(row, _carrying(span)) for row, span in zip(rows, spans, strict=True)])
    for span in spans:
        span.end()
    return outcome


def _carrying(span: trace.Span) -> dict[str, str]:
    headers: dict[str, str] = {}
    propagate.inject(headers, trace.set_span_in_context(span))
    return headers


def _await_more(connection: psycopg.Connection, timeout: float) -> None:
    for _ in connection.notifies(timeout=timeout, stop_after=1):
        pass


def _leads(connection: psycopg.Connection) -> bool:
    found: Any = connection.execute(LEAD).fetchone()
    return bool(found[0])


@contextmanager
def _connected(url: str, *, name: str) -> Iterator[psycopg.Connection]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(
        psycopg.connect(
            plain,
            autocommit=True,
            application_name=f"{name}-relay",
            connect_timeout=5,
            options=SESSION,
            **ALIVE,
        )
    ) as connection:
        yield connection
