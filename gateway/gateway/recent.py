"""What people have just made through this process: a service that has not heard of it will shortly."""

import time
from uuid import UUID

from chassis import ids

KEPT_S, MOST = 60, 50_000


class Recent:
    """Ids by who made them, for a minute."""

    def __init__(self) -> None:
        # Oldest first.
        self._made: dict[tuple[UUID, str], float] = {}

    def note(self, person_id: UUID, id_: str) -> None:
        """Keep an id that a person was answered, if it is a new one."""
        if not _is_new(id_):
            return
        now = time.monotonic()
        self.forget(person_id, id_)
        self._made[person_id, id_] = now
        while self._made and (len(self._made) > MOST or next(iter(self._made.values())) < now - KEPT_S):
            del self._made[next(iter(self._made))]

    def forget(self, person_id: UUID, id_: str) -> None:
        """Of what is deleted nobody will hear."""
        self._made.pop((person_id, id_), None)

    def knows(self, person_id: UUID, id_: str) -> bool:
        """Whether a person made this lately."""
        return self._made.get((person_id, id_), float("-inf")) >= time.monotonic() - KEPT_S


def _is_new(id_: str) -> bool:
    try:
        return ids.is_fresh(UUID(id_))
    except ValueError:
        return False
