"""The inbox: what was handled, so that an event that comes twice takes effect once."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock, schema

# Far longer than any event stays on its way.
KEPT = timedelta(days=30)
BATCH = 5_000


def handle_once(session: Session, consumer: str, event_id: UUID) -> bool:
    """Whether this consumer has not handled the event yet; it has, once this transaction is kept.

    The transaction's first statement: a duplicate at the same time waits here, then answers False.
    """
    row = {"consumer": consumer, "event_id": event_id}
    statement = insert(schema.inbox).values(row).on_conflict_do_nothing().returning(schema.inbox.c.event_id)
    return session.execute(statement, execution_options={"reach": "inbox"}).first() is not None


def forget(session: Session, *, older_than: timedelta = KEPT) -> int:
    """Delete a batch of what was handled long ago; how many rows that were."""
    inbox = schema.inbox.c
    old = select(inbox.consumer, inbox.event_id).where(inbox.handled_at < clock.now() - older_than).limit(BATCH)
    found = session.execute(old, execution_options={"reach": "inbox"}).all()
    for consumer in {row.consumer for row in found}:
        ids = [row.event_id for row in found if row.consumer == consumer]
        statement = delete(schema.inbox).where(inbox.consumer == consumer, inbox.event_id.in_(ids))
        session.execute(statement, execution_options={"reach": "inbox"})
    return len(found)
