"""How much one person may ask a minute, kept in memory: approximate, since each gateway counts for itself."""

import time
from uuid import UUID

from gateway.refusals import refuse

KEPT = 50_000


class Limits:
    """A bucket of tokens a person: all of a minute's may be taken at once, and they come back evenly."""

    def __init__(self, per_minute: int) -> None:
        self._quota, self._rate = per_minute, per_minute / 60
        self._buckets: dict[UUID, tuple[float, float]] = {}
        self.policy = f'"person";q={per_minute};w=60'.encode()

    def take(self, person_id: UUID) -> bytes:
        """Take one token; answers the RateLimit header. Refuses RATE_LIMITED when none is left."""
        now = time.monotonic()
        left, since = self._buckets.get(person_id, (self._quota, now))
        left = min(self._quota, left + (now - since) * self._rate)
        if left < 1:
            raise refuse("RATE_LIMITED", retry_after=int((1 - left) / self._rate) + 1)
        if len(self._buckets) >= KEPT:
            self._buckets.clear()
        self._buckets[person_id] = (left - 1, now)
        return b'"person";r=%d;t=%d' % (left - 1, (self._quota - left + 1) / self._rate)
