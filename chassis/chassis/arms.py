"""The arms of reach: candidates of one page by index, each arm limited, then merged.

One predicate that ORs the arms together costs 700 ms at a million rows; the arms apart cost one or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true, tuple_, union_all
from sqlalchemy.orm import Session

from chassis import schema
from chassis.listing import Listing, Narrowing, Order
from chassis.reach import Scope, uuids

_EXEMPT = {"reach": "the arms of page()"}


@dataclass(frozen=True)
class Search:
    """One page's search: its arms, each limited, and their merging."""

    listing: Listing
    scope: Scope
    order: Order
    narrowing: Narrowing
    after: tuple[Any, UUID] | None
    limit: int
    within: Sequence[UUID] | None = None

    def rows(self, session: Session) -> Sequence[Any]:
        arms = self.arms()
        if not arms:
            return []
        statement: Any = arms[0]
        if len(arms) > 1:
            union = union_all(*arms).subquery()
            statement = select(union.c.sort_key, union.c.id).distinct()
            statement = statement.order_by(*self._by(union.c.sort_key, union.c.id)).limit(self.limit)
        return session.execute(statement, execution_options=_EXEMPT).all()

    def arms(self) -> list[Select[Any]]:
        """Selects whose union holds the page: everything, or what is owned, governed and shared."""
        scope, narrowing = self.scope, self.narrowing
        if self.within is not None:
            entity = self.listing.entity.__table__
            return [self._from_entity(entity, entity.c.id == func.any(uuids(self.within)))]
        if scope.everything:
            if not narrowing.of_carrier:
                return [self._entity_arm()]
            return [self._carrier_arm(narrowing.owner_id, narrowing.units)]
        arms = []
        if narrowing.owner_id in (None, scope.person_id) and scope.own:
            arms.append(self._carrier_arm(scope.person_id, self._among(scope.own_units)))
        governed = self._among(scope.governed_units)
        if governed:
            arms.append(self._carrier_arm(narrowing.owner_id, governed))
        if scope.sharee and self.listing.shared_as:
            arms.append(self._shared_arm())
        return arms

    def _among(self, units: frozenset[UUID]) -> frozenset[UUID]:
        return units if self.narrowing.units is None else units & self.narrowing.units

    def _carrier_arm(self, owner_id: UUID | None, units: frozenset[UUID] | None) -> Select[Any]:
        if owner_id is None and units is not None:
            return self._unit_arm(units)
        carrier = self.listing.carrier.__table__
        conditions: list[ColumnElement[bool]] = []
        if owner_id is not None:
            conditions.append(carrier.c.owner_id == owner_id)
        if units is not None:
            conditions.append(carrier.c.unit_id == func.any(uuids(units)))
        return self._distinct(self._from_carrier(carrier, *conditions))

    def _unit_arm(self, units: frozenset[UUID]) -> Select[Any]:
        """Rows of many units: first those with the newest heads (no others can be on the page), then their rows."""
        table = self.listing.carrier.__table__
        unit = func.unnest(uuids(units)).table_valued("unit_id", name="units").render_derived()
        carrier = table.alias("head")
        head = self._from_carrier(carrier, carrier.c.unit_id == unit.c.unit_id).limit(1).lateral("h")
        heads = select(unit.c.unit_id).select_from(unit.join(head, true()))
        heads = heads.order_by(*self._by(head.c.sort_key, head.c.id)).limit(self.limit)
        best = heads.subquery("best")
        row = table.alias("row")
        rows = self._from_carrier(row, row.c.unit_id == best.c.unit_id).limit(self.limit).lateral("r")
        statement = select(rows.c.sort_key, rows.c.id).select_from(best.join(rows, true()))
        return self._distinct(statement.order_by(*self._by(rows.c.sort_key, rows.c.id)).limit(self.limit))

    def _shared_arm(self) -> Select[Any]:
        """Single records shared with the caller, as far as the narrowing holds for them."""
        access = schema.access.c
        shared = select(access.entity_id).where(
            access.person_id == self.scope.sharee,
            access.entity == self.listing.shared_as,
            or_(access.expires_at.is_(None), access.expires_at > func.now()),
        )
        entity = self.listing.entity.__table__
        if not self.narrowing.of_carrier:
            return self._from_entity(entity, entity.c.id.in_(shared))
        carrier = self.listing.carrier.__table__
        conditions = [carrier.c[self.listing.key].in_(shared)]
        if self.narrowing.owner_id:
            conditions.append(carrier.c.owner_id == self.narrowing.owner_id)
        if self.narrowing.units is not None:
            conditions.append(carrier.c.unit_id == func.any(uuids(self.narrowing.units)))
        return self._distinct(self._from_carrier(carrier, *conditions))

    def _entity_arm(self) -> Select[Any]:
        return self._from_entity(self.listing.entity.__table__)

    def _from_entity(self, entity: Any, *conditions: ColumnElement[bool]) -> Select[Any]:
        key, id_ = entity.c[self.order.column], entity.c.id
        narrowed = [condition(entity.c) for condition in self.narrowing.entity]
        statement = select(key.label("sort_key"), id_.label("id")).where(*conditions, *narrowed, *_live(entity))
        return self._ordered(statement, key, id_)

    def _from_carrier(self, carrier: Any, *conditions: ColumnElement[bool]) -> Select[Any]:
        key, id_ = carrier.c[self.order.column], carrier.c[self.listing.key]
        narrowed = [condition(carrier.c) for condition in self.narrowing.carrier]
        if self.narrowing.entity:
            entity = self.listing.entity.__table__.alias("entity")
            of_entity = [condition(entity.c) for condition in self.narrowing.entity]
            narrowed.append(select(1).where(entity.c.id == id_, *of_entity).exists())
        statement = select(key.label("sort_key"), id_.label("id")).where(*conditions, *narrowed, *_live(carrier))
        return self._ordered(statement, key, id_)

    def _ordered(self, statement: Select[Any], key: Any, id_: Any) -> Select[Any]:
        if self.after:
            beyond, mark = (
                tuple_(key, id_),
                tuple_(*(literal(value, key.type) for value in self.after[:1]), self.after[1]),
            )
            statement = statement.where(beyond < mark if self.order.descending else beyond > mark)
        return statement.order_by(*self._by(key, id_)).limit(self.limit)

    def _by(self, key: Any, id_: Any) -> list[Any]:
        return [key.desc(), id_.desc()] if self.order.descending else [key, id_]

    def _distinct(self, statement: Select[Any]) -> Select[Any]:
        """A record may have several carrier rows, all with its own sort key."""
        return statement if self.listing.carrier is self.listing.entity else statement.distinct()


def _live(table: Any) -> list[ColumnElement[bool]]:
    return [table.c.deleted_at.is_(None)] if "deleted_at" in table.c else []
