"""Notes: what the probe publishes and handles itself. What a note says decides what happens when it is handled."""

import os
import time
from typing import Any
from uuid import UUID

from google.protobuf.struct_pb2 import Struct
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from chassis import outbox
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.errors import refuse
from chassis.ids import new_id
from probe.model import ProbeNote

WRITTEN = "note.written.v1"
# No worker binds a queue for it.
WHISPERED = "note.whispered.v1"


def write(session: Session, says: str, *, kind: str = WRITTEN, lane: int = 0, id: UUID | None = None) -> Envelope:
    """Keep a note and tell of it."""
    note = ProbeNote(id=id or new_id(), version=1, text=says)
    session.add(note)
    data = Struct()
    data.update({"text": says})
    event = outbox.fact("probe", kind, data, subject=note.id)
    outbox.publish(session, event, lane=lane)
    return event


def handle(session: Session, event: Envelope) -> None:
    """Count that the note was handled, unless it says to behave otherwise."""
    counted = update(ProbeNote).where(ProbeNote.id == UUID(event.subject)).values(handled=ProbeNote.handled + 1)
    session.execute(counted)
    says, _, argument = str((event.data or {}).get("text")).partition(" ")
    BEHAVIOUR.get(says, _nothing)(session, argument)


def count_tick(engine: Engine) -> None:
    """Count a tick on every note that says so."""
    with transaction(engine) as session:
        session.execute(update(ProbeNote).where(ProbeNote.text == "tick").values(handled=ProbeNote.handled + 1))


def _nothing(_session: Session, _argument: str) -> None:
    """A note like any other."""


def _fail(_session: Session, argument: str) -> None:
    raise ValueError(argument)


def _fail_while_ill(session: Session, _argument: str) -> None:
    if session.scalar(select(ProbeNote.text).where(ProbeNote.text == "ill").limit(1)):
        raise ValueError("still ill")


def _refuse(_session: Session, argument: str) -> None:
    raise refuse(argument)


def _crash(_session: Session, _argument: str) -> None:
    os._exit(1)


def _sleep(_session: Session, seconds: str) -> None:
    time.sleep(float(seconds))


def _query(session: Session, seconds: str) -> None:
    session.execute(text("SELECT pg_sleep(:s)"), {"s": float(seconds)})


def _hang(_session: Session, _argument: str) -> Any:
    """Block the hub as C code would: no green thread runs any more."""
    while True:
        pass


BEHAVIOUR = {
    "fail": _fail,
    "ill": _fail_while_ill,
    "refuse": _refuse,
    "crash": _crash,
    "sleep": _sleep,
    "query": _query,
    "hang": _hang,
}
