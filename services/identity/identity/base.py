"""The declarative base of this service's mapped classes."""

from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from chassis import database


class Base(DeclarativeBase):
    """Every mapped class of the identity service."""

    metadata = database.conventional_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = database.TYPES
