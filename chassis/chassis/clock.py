"""The one clock: instants in UTC, days in a unit's zone. Tests replace it."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import overload
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """This instant, in UTC."""
    return _source()


def today(zone: str = "Asia/Shanghai") -> date:
    """The day it is in an IANA time zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str = "Asia/Shanghai") -> datetime:
    """The instant at which a day begins in an IANA time zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str = "Asia/Shanghai") -> datetime:
    """The instant at which a day is over in an IANA time zone."""
    return start_of_day(day + timedelta(days=1), zone)


def seconds_left(zone: str = "Asia/Shanghai") -> int:
    """The whole seconds after which today is over in an IANA time zone."""
    return math.ceil((end_of_day(today(zone), zone) - now()).total_seconds())


@overload
def stamp(moment: datetime) -> Timestamp: ...
@overload
def stamp(moment: datetime | None) -> Timestamp | None: ...
def stamp(moment: datetime | None) -> Timestamp | None:
    """An instant as messages carry it; nothing for none."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


@contextmanager
def reading(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` tell the time, for a test."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
