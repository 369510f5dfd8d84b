"""Handling an event once: trace, transaction, inbox; and what a failure means. Knows nothing of how events arrive."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from opentelemetry import trace
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from chassis import clock, envelope, telemetry
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.errors import DomainError, Kind
from chassis.inbox import handle_once

Handler = Callable[[Session, Envelope], None]

TRACEBACK_BYTES = 4_000
ATTEMPT = "x-attempt"
# Refusals that time may cure; any other refusal of an event stays one.
PASSING = (Kind.KIND_ABORTED, Kind.KIND_UNAVAILABLE)
# SQLSTATE classes and codes of a server that is going, gone, coming, or read-only for a while.
OUTAGE_STATES = ("08", "53", "57P", "58", "25006")


class UndecodableError(Exception):
    """The body is no envelope."""


class Verdict(Enum):
    """What to do with an event that failed."""

    RETRY = "retry"
    PARK = "park"
    PAUSE = "pause"


@dataclass(frozen=True)
class Delivery:
    """An event as the broker delivers it."""

    body: bytes
    headers: Mapping[str, Any]

    @property
    def attempt(self) -> int:
        """How often it has failed before."""
        return int(self.headers.get(ATTEMPT, 0))


def handle(engine: Engine, delivery: Delivery, *, consumer: str, handler: Handler) -> None:
    """Have the handler take effect in one transaction with the inbox, unless it has before.

    Raises UndecodableError, or whatever the handler or the database raised; nothing is kept then.
    """
    parent = telemetry.carried(delivery.headers)
    with telemetry.tracer.start_as_current_span(f"{consumer} process", parent, trace.SpanKind.CONSUMER):
        event = _decode(delivery.body)
        with transaction(engine, action=event.type) as session:
            fresh = handle_once(session, consumer, event.id)
            if fresh:
                handler(session, event)
    (telemetry.handled if fresh else telemetry.duplicates).add(1, {"type": event.type})


def consumer_name(consumer: str, source: str, kind: str) -> str:
    """What the inbox, and the queue, of a consumer's handler of one type of event are called."""
    return f"{consumer}.{source}.{kind}"


def verdict(error: BaseException, *, attempt: int, delays: Sequence[float]) -> Verdict:
    """What a failure means for the event, which has failed `attempt` times before."""
    if is_outage(error):
        return Verdict.PAUSE
    refused = isinstance(error, DomainError) and error.kind not in PASSING
    if isinstance(error, UndecodableError) or refused or attempt >= len(delays):
        return Verdict.PARK
    return Verdict.RETRY


def is_outage(error: BaseException) -> bool:
    """Whether the database, and not the event, is what failed."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    unconnected = isinstance(error, OperationalError | InterfaceError) and not state
    return error.connection_invalidated or unconnected or state.startswith(OUTAGE_STATES)


def failure_headers(error: BaseException, delivery: Delivery, *, queue: str) -> dict[str, Any]:
    """The headers that tell of a failure, beside those the event came with."""
    kept = {
        name: value for name, value in delivery.headers.items() if not name.startswith(("x-death", "x-first-death"))
    }
    frames = "".join(traceback.format_tb(error.__traceback__))
    return kept | {
        ATTEMPT: delivery.attempt + 1,
        "x-exception": describe(error),
        "x-traceback": frames.encode()[-TRACEBACK_BYTES:].decode(errors="ignore"),
        "x-origin-queue": queue,
        "x-failed-at": clock.now().isoformat(),
    }


def describe(error: BaseException) -> str:
    """What went wrong, without the values a database puts into its messages."""
    if isinstance(error, DBAPIError):
        diagnosis = getattr(error.orig, "diag", None)
        constraint = getattr(diagnosis, "constraint_name", None) or ""
        return f"{type(error.orig).__name__} {constraint}".strip()
    return f"{type(error).__name__}: {error}"[:500]


def _decode(body: bytes) -> Envelope:
    try:
        return envelope.decode(body)
    except (ValueError, KeyError, TypeError) as error:
        raise UndecodableError(f"{type(error).__name__}: no envelope") from error
