"""Every select of reassignments."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from chassis import schema
from chassis.arrays import uuids
from chassis.import_rows import UPDATED
from customers.customer.model import Customer

_EXEMPT = {"reach": "the rows of the caller's own reassignment"}


def customers_of(session: Session, customer_ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Customer]:
    """Customers that the caller reads, with their lines; `lock` until the end of the transaction, in order of ids.

    The lines are read after the lock was had, so that nobody changes them any more.
    """
    wanted = select(Customer).where(Customer.id == func.any(uuids(customer_ids)), Customer.deleted_at.is_(None))
    wanted = wanted.order_by(Customer.id).with_for_update(of=Customer) if lock else wanted
    found = session.scalars(wanted.options(selectinload(Customer.assignments)))
    return {customer.id: customer for customer in found}


def figures(session: Session, job_id: UUID) -> Sequence[Any]:
    """How many rows go from whom to whom, those apart that fail or stay."""
    table = schema.job_rows.c
    giver, receiver = table.cells[3], table.cells[4]
    wanted = select(giver.label("giver"), receiver.label("receiver"), func.count().label("number"))
    wanted = wanted.where(table.job_id == job_id, table.outcome == UPDATED).group_by(giver, receiver)
    return session.execute(wanted, execution_options=_EXEMPT).all()
