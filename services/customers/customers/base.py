"""The declarative base of this service's mapped classes, and their common column types."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from chassis import database

# Stands for "never" where a sort key may not be null.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    """Every mapped class of the customers service."""

    metadata = database.conventional_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = database.TYPES
