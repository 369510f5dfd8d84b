"""Counting what units hold."""

from datetime import timedelta

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from chassis import clock
from customers.home import queries
from customers.home.model import UnitCount

UNCONTACTED, RECENT = timedelta(days=30), timedelta(days=7)


def count_units(session: Session) -> None:
    """Count every unit's customers and contact records anew, in place of the figures before."""
    now = clock.now()
    found = queries.counts(session, uncontacted_before=now - UNCONTACTED, recent_from=now - RECENT)
    session.execute(delete(UnitCount))
    if found:
        session.execute(insert(UnitCount), [{**row, "counted_at": now} for row in found])
