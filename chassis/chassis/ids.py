"""Ids are UUIDv7: made anywhere, in order of time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat

from chassis import clock

NIL = UUID(int=0)


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The id a message carries, already validated as a UUID; nothing where the field is empty."""
    return UUID(text) if text else None


def read_id(text: str) -> UUID | None:
    """The id that a text from elsewhere is; nothing where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def is_fresh(value: UUID, within: timedelta = timedelta(seconds=60)) -> bool:
    """Whether a UUIDv7 was made so lately that other services may not have heard of it yet."""
    if value.version != 7:
        return False
    made = datetime.fromtimestamp((value.int >> 80) / 1000, UTC)
    return abs(clock.now() - made) < within
