"""Turns: what is counted before it is done comes one by one, such as a person's reveals or a line's registrations."""

from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session


def wait(session: Session, what: str, of: UUID) -> None:
    """Go on when nobody else is at the same; others wait until this transaction ends."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"{what}/{of}", 0))
    session.execute(lock.select(), execution_options={"reach": "a lock"})
