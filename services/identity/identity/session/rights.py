"""What follows when somebody's rights change: others are told who they are now, and their passports are void."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from identity.employee import people, queries
from identity.session import revoking


def changed(session: Session, employee_ids: Collection[UUID]) -> None:
    """Have a change of posts or roles take effect: whoever is left without any is signed out everywhere."""
    if not employee_ids:
        return
    held = people.announce(session, employee_ids)
    at_work = {employee.id for employee in queries.fresh(session, held) if employee.active}
    keeping = {employee_id for employee_id, posts in held.items() if posts and employee_id in at_work}
    _revoke(session, held.keys() - keeping, rights_only=False)
    _revoke(session, keeping, rights_only=True)


def _revoke(session: Session, employee_ids: Collection[UUID], *, rights_only: bool) -> None:
    if employee_ids:
        revoking.revoke(session, employee_ids, rights_only=rights_only)
