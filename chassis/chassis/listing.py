"""What a list is made of: an ordering, the rows that say who owns what, and what a request narrows it to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement


@dataclass(frozen=True)
class Order:
    """An ordering by one indexed, never-null column that the entity and its carrier both have, then by id."""

    name: str
    column: str
    descending: bool = False


@dataclass(frozen=True)
class Listing:
    """What is listed. `carrier` rows say owner and unit and repeat the sort keys; `key` is their column of the id.

    Where rows own themselves, the carrier is the entity and the key its id.
    """

    entity: Any
    carrier: Any
    key: str
    shared_as: str = ""


Condition = Callable[[Any], ColumnElement[bool]]


@dataclass
class Narrowing:
    """What a request narrows a list to: conditions on the entity's columns, on the carrier's, an owner, units.

    Conditions that are functions of a module and name the `values` in them are the same for everybody: a statement of
    them is built once. `stretch` says how many rows within reach are likely to hold a page, where that is known.
    """

    entity: list[Condition] = field(default_factory=list)
    carrier: list[Condition] = field(default_factory=list)
    owner_id: UUID | None = None
    units: frozenset[UUID] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    stretch: int = 0

    @property
    def conditions(self) -> bool:
        """Whether anything but an owner and units narrows the list."""
        return bool(self.entity or self.carrier)
