"""Events leave through the outbox: a row in the transaction that changes the state, sent later by the relay."""

from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from opentelemetry import propagate
from sqlalchemy import insert
from sqlalchemy.orm import Session

from chassis import clock, schema
from chassis.envelope import Envelope, to_data
from chassis.ids import new_id

BULK = 1
_ROWS = insert(schema.outbox)


def state(source: str, kind: str, data: Message | None, *, subject: UUID | str, version: int) -> Envelope:
    """An aggregate's whole public state, as the service `source` tells it; without data, that it is gone."""
    return Envelope(
        id=new_id(),
        source=source,
        type=kind,
        subject=str(subject),
        time=clock.now(),
        version=version,
        data=to_data(data) if data is not None else None,
    )


def fact(source: str, kind: str, data: Message, *, subject: UUID | str, id: UUID | None = None) -> Envelope:
    """Something that happened, once, under its own id."""
    return Envelope(
        id=id or new_id(),
        source=source,
        type=kind,
        subject=str(subject),
        time=clock.now(),
        version=0,
        data=to_data(data),
    )


def publish(session: Session, *events: Envelope, lane: int | None = None) -> None:
    """Send the events if, and only if, this transaction is kept; by the session's lane unless told."""
    lane = session.info.get("lane", 0) if lane is None else lane
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    rows: list[dict[str, Any]] = [
        {"event_id": e.id, "type": e.type, "lane": lane, "envelope": e.encode(), "headers": carrier} for e in events
    ]
    if rows:
        session.execute(_ROWS, rows, execution_options={"reach": "outbox"})
