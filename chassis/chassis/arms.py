"""The arms of reach: candidates of one page by index, each arm limited, then merged.

One predicate that ORs the arms together costs 700 ms at a million rows; the arms apart cost one or two. Their values
are bound by name, so that a list without filters is one statement for everybody, built once.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
    tuple_,
    union,
    union_all,
)

from chassis.arrays import UuidArray
from chassis.listing import Condition, Listing, Order
from chassis.reached import GOVERNED, OWN, PERSON, shared_with_caller

_LIMIT, _WANTED = bindparam("limit", type_=Integer()), bindparam("wanted", type_=Integer())
_OWNER = bindparam("owner_id", type_=Uuid())
_WITHIN, _UNITS = bindparam("within", type_=UuidArray()), bindparam("units", type_=UuidArray())


@dataclass(frozen=True, kw_only=True)
class Arms:
    """Which arms a search has, apart from the values in them."""

    listing: Listing
    order: Order
    of_entity: tuple[Condition, ...]
    of_carrier: tuple[Condition, ...]
    continued: bool
    within: bool
    everything: bool
    own: bool
    governed: bool
    shared: bool
    owner: bool
    units: bool
    ordered: bool = True

    def selects(self) -> list[Select[Any]]:
        """Selects whose union holds the page: everything, or what is owned, governed and shared."""
        entity = self.listing.entity.__table__
        if self.within:
            return [self._from_entity(entity, entity.c.id == func.any(_WITHIN))]
        if self.everything:
            return [self._whole()]
        arms = []
        carrier = self.listing.carrier.__table__
        if self.own:
            mine = (carrier.c.owner_id == PERSON, carrier.c.unit_id == func.any(OWN))
            arms.append(self._distinct(self._from_carrier(carrier, *mine)))
        if self.governed:
            arms.append(self._of_units(GOVERNED))
        if self.shared:
            arms.append(self._of_shares())
        return arms

    def _whole(self) -> Select[Any]:
        if not (self.owner or self.units or self.of_carrier):
            return self._from_entity(self.listing.entity.__table__)
        if self.units:
            return self._of_units(_UNITS)
        return self._distinct(self._from_carrier(self.listing.carrier.__table__, *self._owned()))

    def _owned(self, table: Any = None) -> list[ColumnElement[bool]]:
        table = self.listing.carrier.__table__ if table is None else table
        return [table.c.owner_id == _OWNER] if self.owner else []

    def _of_units(self, units: Any) -> Select[Any]:
        """Rows of many units: the first few of each; then, of those that may have more on the page, all there.

        The page ends, at the latest, with the last of as many among the first few of all; of a unit whose first few
        all lie before that, there may be more.
        """
        table = self.listing.carrier.__table__
        if self.owner or not self.ordered:
            return self._distinct(self._from_carrier(table, *self._owned(), table.c.unit_id == func.any(units)))
        few = 1 + 2 * _LIMIT // func.greatest(func.cardinality(units), 1)
        firsts = self._firsts(units, few).cte("firsts")
        end = self._end(firsts)
        on_page = self._until(firsts.c.sort_key, firsts.c.id, end)
        full = select(firsts.c.unit_id).where(firsts.c.nth == few, on_page).subquery("full_units")
        row = table.alias("row")
        until = self._until(row.c[self.order.column], row.c[self.listing.key], end)
        rows = self._distinct(self._from_carrier(row, row.c.unit_id == full.c.unit_id, until)).lateral("r")
        more = select(rows.c.sort_key, rows.c.id).select_from(full.join(rows, true()))
        found = union(select(firsts.c.sort_key, firsts.c.id).where(on_page), more).subquery("found")
        return select(found).order_by(*self._by(found.c.sort_key, found.c.id)).limit(_LIMIT)

    def _firsts(self, units: Any, few: Any) -> Select[Any]:
        """The first few rows of each unit, numbered there and among all. A record may lie in several units."""
        unit = func.unnest(units).table_valued(column("unit_id", Uuid()), name="units").render_derived()
        carrier = self.listing.carrier.__table__.alias("first")
        first = self._from_carrier(carrier, carrier.c.unit_id == unit.c.unit_id, limit=few).lateral("f")
        by = self._by(first.c.sort_key, first.c.id)
        nth = func.row_number().over(partition_by=unit.c.unit_id, order_by=by).label("nth")
        place = func.dense_rank().over(order_by=by).label("place")
        return select(unit.c.unit_id, first.c.sort_key, first.c.id, nth, place).select_from(unit.join(first, true()))

    def _end(self, firsts: Any) -> Any:
        """The key and id of the page's last among the first of all units; where there are fewer, of the last record."""
        table = self.listing.entity.__table__
        whole = select(firsts.c.sort_key, firsts.c.id, literal(0).label("turn")).where(firsts.c.place == _LIMIT)
        backwards = replace(self, order=replace(self.order, descending=not self.order.descending))
        key, id_ = table.c[self.order.column].label("sort_key"), table.c.id
        last = backwards._sorted(select(key, id_, literal(1)).where(*self._live(table)), key, id_).limit(1)
        ends = union_all(whole.limit(1).subquery().select(), last.subquery().select()).subquery()
        return select(ends).order_by(ends.c.turn).limit(1).cte("page_end")

    def _until(self, key: Any, id_: Any, end: Any) -> ColumnElement[bool]:
        row, mark = (
            tuple_(key, id_),
            tuple_(*(select(column).scalar_subquery() for column in (end.c.sort_key, end.c.id))),
        )
        return row >= mark if self.order.descending else row <= mark

    def _of_shares(self) -> Select[Any]:
        """Single records shared with the caller, as far as the narrowing holds for them."""
        shared = shared_with_caller(self.listing)
        entity, carrier = self.listing.entity.__table__, self.listing.carrier.__table__
        if not (self.owner or self.units or self.of_carrier):
            return self._from_entity(entity, entity.c.id.in_(shared))
        conditions = [carrier.c[self.listing.key].in_(shared), *self._owned()]
        if self.units:
            conditions.append(carrier.c.unit_id == func.any(_UNITS))
        return self._distinct(self._from_carrier(carrier, *conditions))

    def _from_entity(self, entity: Any, *conditions: ColumnElement[bool]) -> Select[Any]:
        narrowed = [condition(entity.c) for condition in self.of_entity]
        return self._ordered(entity, entity.c.id, [*conditions, *narrowed])

    def _from_carrier(self, carrier: Any, *conditions: ColumnElement[bool], limit: Any = _LIMIT) -> Select[Any]:
        id_ = carrier.c[self.listing.key]
        narrowed = [condition(carrier.c) for condition in self.of_carrier]
        if self.of_entity:
            narrowed.append(self._meets(id_))
        return self._ordered(carrier, id_, [*conditions, *narrowed], limit=limit)

    def _meets(self, id_: Any) -> ColumnElement[bool]:
        entity = self.listing.entity.__table__.alias("entity")
        return select(1).where(entity.c.id == id_, *(condition(entity.c) for condition in self.of_entity)).exists()

    def _ordered(
        self, table: Any, id_: Any, conditions: list[ColumnElement[bool]], *, limit: Any = _LIMIT
    ) -> Select[Any]:
        key = table.c[self.order.column]
        statement: Select[Any] = select(key.label("sort_key"), id_.label("id")).where(*conditions, *self._live(table))
        if self.continued:
            mark = tuple_(bindparam("after_key", type_=key.type), bindparam("after_id", type_=Uuid()))
            beyond = tuple_(key, id_)
            statement = statement.where(beyond < mark if self.order.descending else beyond > mark)
        return self._sorted(statement, key, id_).limit(limit)

    def _live(self, table: Any) -> list[ColumnElement[bool]]:
        return [table.c.deleted_at.is_(None)] if "deleted_at" in table.c else []

    def _sorted(self, statement: Select[Any], key: Any, id_: Any) -> Select[Any]:
        return statement.order_by(*self._by(key, id_)) if self.ordered else statement

    def _by(self, key: Any, id_: Any) -> list[Any]:
        return [key.desc(), id_.desc()] if self.order.descending else [key, id_]

    def _distinct(self, statement: Select[Any]) -> Select[Any]:
        """A record may have several carrier rows, all with its own sort key."""
        return statement if self.listing.carrier is self.listing.entity else statement.distinct()


def built(arms: Arms) -> Any:
    """The statement of all arms together, or none where nothing is reached."""
    selects = arms.selects()
    if len(selects) < 2:
        return selects[0] if selects else None
    union = union_all(*selects).subquery()
    merged: Select[Any] = select(union.c.sort_key, union.c.id).distinct()
    return arms._sorted(merged, union.c.sort_key, union.c.id).limit(_LIMIT)


def sifted(arms: Arms) -> Any:
    """Rows that meet the conditions on the entity, of so many reached; then the last reached, with their number.

    In order, each as it is needed: where most meet them, the rest of what is reached is not looked at.
    """
    reached = built(replace(arms, of_entity=())).cte("reached")
    key, id_ = reached.c.sort_key, reached.c.id
    met = select(key, id_, literal(0).label("of")).where(arms._meets(id_)).order_by(*arms._by(key, id_)).limit(_WANTED)
    number = select(func.count()).select_from(reached).scalar_subquery()
    backwards = replace(arms, order=replace(arms.order, descending=not arms.order.descending))
    last = select(key, id_, number).order_by(*backwards._by(key, id_)).limit(1)
    both = union_all(met.subquery("met").select(), last.subquery("last").select()).subquery("both")
    return select(both).order_by(both.c.of, *arms._by(both.c.sort_key, both.c.id))


built_once, sifted_once = lru_cache(maxsize=256)(built), lru_cache(maxsize=256)(sifted)
