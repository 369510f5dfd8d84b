"""Units as identity tells them: kept, and of those that are being closed told what of customers lies in them."""

from uuid import UUID

from sqlalchemy.orm import Session

from chassis import closing, organisation
from chassis.envelope import Envelope
from customers.customer import queries as customers


def org_changed(session: Session, event: Envelope) -> None:
    """Handle `org.changed.v1`."""
    for told in organisation.org_changed(session, event):
        closing.answer(session, "customers", told, _held)


def _held(session: Session, unit_id: UUID) -> dict[str, int]:
    return {"customer": customers.count_in_unit(session, unit_id)}
