"""Creations come twice from clients that heard no answer: the second is told what became of the first.

They may come at once, too: those of one id take turns.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import turns
from chassis.errors import refuse

Made = TypeVar("Made")

# What those take turns at who create under one id.
CREATION = "creation"


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
    turns.wait(session, CREATION, id_)
    found = find(session, id_)
    if found is None and taken and taken(session, id_):
        raise refuse("ID_TAKEN", field=field)
    if found is not None and any(getattr(found, name) != value for name, value in wanted.items()):
        raise refuse("ALREADY_EXISTS", field=field)
    return found
