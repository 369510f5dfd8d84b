"""Days: as messages carry them, as a unit's zone has them, and which rows are valid on one."""

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, Date, DateTime, and_, cast, func, literal, or_

from chassis import clock
from identity.refusals import refuse

_ZONES = frozenset(available_timezones())
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


def checked_day(text: str, *, field: str) -> date | None:
    """The day a message carries, if any; refuses DATE_INVALID one that no calendar has, or that no company meets."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refuse("DATE_INVALID", field=field) from error
    # Instants around the last day of the calendar cannot be told in every zone.
    if not _FIRST <= day <= _LAST:
        raise refuse("DATE_INVALID", field=field)
    return day


def checked_span(start: date | None, end: date | None, *, field: str) -> None:
    """Refuse DATES_REVERSED a last day before the first."""
    if start and end and end < start:
        raise refuse("DATES_REVERSED", field=field)


def checked_zone(zone: str, *, field: str) -> str:
    """Refuse TIME_ZONE_UNKNOWN what the time zone database does not name."""
    if zone not in _ZONES:
        raise refuse("TIME_ZONE_UNKNOWN", field=field)
    return zone


def text_of(day: date | None) -> str:
    return day.isoformat() if day else ""


def today_in(zone: Any) -> ColumnElement[date]:
    """The day it is in the time zone that a column names."""
    return cast(func.timezone(zone, literal(clock.now(), DateTime(timezone=True))), Date)


def valid_on(row: Any, day: Any) -> ColumnElement[bool]:
    """Whether a row with `start_on` and `end_on`, either open, is valid on a day."""
    begun = or_(row.start_on.is_(None), row.start_on <= day)
    return and_(begun, or_(row.end_on.is_(None), row.end_on >= day))


def is_valid(row: Any, day: date) -> bool:
    return (row.start_on is None or row.start_on <= day) and (row.end_on is None or row.end_on >= day)


def covers(row: Any, start: date, end: date | None) -> bool:
    """Whether a row is valid on every day of a span; one without end needs a row without end."""
    ends_late_enough = row.end_on is None or (end is not None and max(start, end) <= row.end_on)
    return (row.start_on is None or row.start_on <= start) and ends_late_enough
