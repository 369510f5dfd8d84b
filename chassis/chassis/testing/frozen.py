"""A clock that moves only when told to."""

from datetime import datetime, timedelta


class FrozenClock:
    """Call it for the instant it shows; `advance` and `set` move it."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def advance(self, **by: float) -> datetime:
        """Move forward, by what `timedelta` understands: `advance(minutes=10)`."""
        self._at += timedelta(**by)
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at
