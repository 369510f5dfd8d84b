"""Sets of ids as one bound value."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.types import UserDefinedType


class UuidArray(UserDefinedType[str]):
    """uuid[], bound as the text that `array_text` makes of it: whole, where its ids would be bound one by one."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_options: Any) -> str:
        return "UUID[]"


def uuids(values: Iterable[UUID]) -> ColumnElement[Any]:
    """A bound array of ids."""
    return bindparam(None, array_text(frozenset(values)), UuidArray())


@lru_cache(maxsize=4096)
def array_text(values: frozenset[UUID]) -> str:
    """Ids as the value of a bound `UuidArray`."""
    return "{" + ",".join(map(str, values)) + "}"
