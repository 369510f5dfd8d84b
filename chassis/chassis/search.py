"""One page of a list within reach: which arms it takes, and the values in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.arms import Arms, built, built_once, sifted, sifted_once
from chassis.arrays import array_text
from chassis.database import ANEW
from chassis.listing import Listing, Narrowing, Order
from chassis.reach import Scope

# How many rows are looked at together where most may not meet a condition, how many times more of them then, how often.
STRETCH, LONGER, STRETCHES = 201, 4, 2

_EXEMPT = {"reach": "the arms of page()"}


@dataclass(frozen=True)
class Search:
    """One page's search within a scope, after a row or from the beginning, or among the ids `within`."""

    listing: Listing
    scope: Scope
    order: Order
    narrowing: Narrowing
    after: tuple[Any, UUID] | None
    limit: int
    within: Sequence[UUID] | None = None

    def rows(self, session: Session) -> Sequence[Any]:
        """The page's sort keys and ids, in order."""
        narrowed = self.narrowing.entity and self.within is None
        if narrowed and self._governed and not self.scope.everything:
            return self._sifted(session)
        return self._asked(session)

    def count(self, session: Session) -> int:
        """How many there are, up to the limit. In no order: the newest of many units are dear to find."""
        return len(self._fetched(session, replace(self._arms, ordered=False)))

    def _sifted(self, session: Session) -> Sequence[Any]:
        """What is reached, a stretch at a time, and of it what the conditions on the entity leave.

        To ask each of many units for its first row that meets them would read most of what is reached; that is left
        for conditions that hardly any row meets.
        """
        found: list[Any] = []
        after, stretch = self.after, self.narrowing.stretch or STRETCH
        for size in (stretch * LONGER**turn for turn in range(STRETCHES)):
            *met, last = replace(self, after=after, limit=self.limit - len(found))._stretch(session, size) or [None]
            found += met
            if last is None or len(found) >= self.limit or last.of < size:
                return found
            after = (last.sort_key, last.id)
        return [*found, *replace(self, after=after, limit=self.limit - len(found))._asked(session)]

    def _stretch(self, session: Session, size: int) -> Sequence[Any]:
        """The rows that meet the conditions among the next so many reached; at last, how far that went."""
        statement = (sifted_once if self._built_once else sifted)(self._arms)
        values = {**self._values, "limit": size, "wanted": self.limit}
        return session.execute(statement, values, execution_options={**_EXEMPT, **ANEW}).all()

    def _asked(self, session: Session) -> Sequence[Any]:
        return self._fetched(session, self._arms)

    def _fetched(self, session: Session, arms: Arms) -> Sequence[Any]:
        statement = (built_once if self._built_once else built)(arms)
        if statement is None:
            return []
        options = _EXEMPT if self._of_few else {**_EXEMPT, **ANEW}
        return session.execute(statement, self._values, execution_options=options).all()

    @property
    def _built_once(self) -> bool:
        return bool(self.narrowing.values) or not self.narrowing.conditions

    @property
    def _of_few(self) -> bool:
        """Whether one plan fits everybody: a person's own records, as they come."""
        wide = self.scope.everything or self._governed or self.narrowing.units or self.within is not None
        return not wide and not self.narrowing.conditions

    @property
    def _arms(self) -> Arms:
        scope, narrowing = self.scope, self.narrowing
        return Arms(
            listing=self.listing,
            order=self.order,
            of_entity=tuple(narrowing.entity),
            of_carrier=tuple(narrowing.carrier),
            continued=self.after is not None,
            within=self.within is not None,
            everything=scope.everything,
            own=bool(self._own) and narrowing.owner_id in (None, scope.person_id),
            governed=bool(self._governed),
            shared=bool(scope.sharee and self.listing.shared_as),
            owner=narrowing.owner_id is not None,
            units=narrowing.units is not None,
        )

    @cached_property
    def _own(self) -> frozenset[UUID]:
        """Where one's own rows count, but for what is governed: that arm holds them already."""
        return self._among(self.scope.own_units) - self._governed

    @cached_property
    def _governed(self) -> frozenset[UUID]:
        return self._among(self.scope.governed_units)

    def _among(self, units: frozenset[UUID]) -> frozenset[UUID]:
        return units if self.narrowing.units is None else units & self.narrowing.units

    @property
    def _values(self) -> dict[str, Any]:
        key, id_ = self.after or (None, None)
        return {
            **self.narrowing.values,
            "limit": self.limit,
            "person_id": self.scope.person_id,
            "owner_id": self.narrowing.owner_id,
            "after_key": key,
            "after_id": id_,
            "within": array_text(frozenset(self.within or ())),
            "units": array_text(self.narrowing.units or frozenset()),
            "own": array_text(self._own),
            "governed": array_text(self._governed),
        }
