"""Rows as a merge's record keeps them, and as they go back into their tables."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row as Selected
from sqlalchemy import Table

Row = dict[str, Any]


def kept(row: Selected[Any]) -> Row:
    """A row in the types of JSON."""
    return {name: plain(value) for name, value in row._asdict().items()}


def plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def given_back(table: Table, rows: Sequence[Row]) -> list[Row]:
    """Kept rows in the types of their table; columns added since are left to their defaults."""
    return [{name: typed(table, name, value) for name, value in row.items() if name in table.c} for row in rows]


def typed(table: Table, name: str, value: Any) -> Any:
    kind = None if value is None or isinstance(value, list | dict) else table.c[name].type.python_type
    if kind is UUID:
        return UUID(value)
    return kind.fromisoformat(value) if kind in (date, datetime) else value
