"""What the relay's leader does besides, each at its own pace, on the connection that holds the lock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from chassis import anchors, seals, telemetry
from chassis.settings import ProcessSettings

DAYS_AHEAD, DAYS_KEPT = 3, 7
# A backlog takes no more than a sixth of the relay's time: publishing comes first.
PAUSE = 5
AGAIN = """
UPDATE outbox SET unroutable_at = NULL WHERE (day, id) IN (
    SELECT day, id FROM outbox
    WHERE published_at IS NULL AND unroutable_at < clock_timestamp() - %s * interval '1 second'
    ORDER BY unroutable_at LIMIT 500)
"""
WAITING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float FROM outbox
WHERE published_at IS NULL AND unroutable_at IS NULL
"""


@dataclass
class Duty:
    """An action and the seconds between two performances; the first is due at once.

    An action that answers true has left some of its work: it goes on sooner, after five times as long as it took.
    """

    every_s: float
    action: Callable[[psycopg.Connection], bool | None]
    due_at: float = 0


def of_relay(name: str, settings: ProcessSettings) -> tuple[Duty, ...]:
    return (
        Duty(settings.seal_every_s, seals.seal),
        Duty(settings.anchor_every_s, anchors.Telling(name).tell),
        Duty(600, keep_partitions),
        Duty(settings.unroutable_retry_s, lambda connection: try_unroutable(connection, settings.unroutable_retry_s)),
        Duty(5, measure),
    )


def perform(duties: Sequence[Duty], connection: psycopg.Connection) -> None:
    """Perform those that are due."""
    for duty in duties:
        if time.monotonic() >= duty.due_at:
            began = time.monotonic()
            more = duty.action(connection)
            ended = time.monotonic()
            duty.due_at = ended + (PAUSE * (ended - began) if more else duty.every_s)


def due_in(duties: Sequence[Duty]) -> float:
    """The seconds until one is due."""
    return max(0, min(duty.due_at for duty in duties) - time.monotonic())


def keep_partitions(connection: psycopg.Connection) -> None:
    """Make the next days' partitions; drop those of which nothing waits, a week after their day."""
    connection.execute("SELECT keep_outbox(%s, %s)", (DAYS_AHEAD, DAYS_KEPT))


def try_unroutable(connection: psycopg.Connection, after_s: float) -> None:
    """Have events that no queue was bound for wait again: a consumer may have come since."""
    connection.execute(AGAIN, (after_s,))


def measure(connection: psycopg.Connection) -> None:
    found: Any = connection.execute(WAITING).fetchone()
    telemetry.waiting.set(found[0])
    telemetry.waiting_age.set(found[1])
