"""Creations come twice from clients that heard no answer: the second is told what became of the first.

They may come at once, too: those of one id take turns.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from chassis.errors import refuse

Made = TypeVar("Made")


def take_turns(session: Session, id_: UUID) -> None:
    """Go on when nobody else is creating this; others wait until this transaction ends, and then see what was made."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"creation/{id_}", 0))
    session.execute(lock.select(), execution_options={"reach": "a lock"})


def repeated(
    session: Session,
    id_: UUID | None,
    wanted: Mapping[str, Any],
    *,
    find: Callable[[Session, UUID], Made | None],
    taken: Callable[[Session, UUID], bool] | None = None,
    field: str,
) -> Made | None:
    """What this very request made before, as it is now; nothing where the client chose no id, or a new one.

    Refuses ALREADY_EXISTS what was made with other values, and ID_TAKEN what `taken` knows and `find` does not reach.
    """
    if id_ is None:
        return None
    take_turns(session, id_)
    found = find(session, id_)
    if found is None and taken and taken(session, id_):
        raise refuse("ID_TAKEN", field=field)
    if found is not None and any(getattr(found, name) != value for name, value in wanted.items()):
        raise refuse("ALREADY_EXISTS", field=field)
    return found
