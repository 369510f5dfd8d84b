"""Where a record lies: the owners and units by which it is reached, as its rule of reach says."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, inspect, null, select
from sqlalchemy.orm import LoaderCallableStatus, Session
from sqlalchemy.orm.util import identity_key

from chassis.caller import Place
from chassis.either import Either
from chassis.reach import AnyOf, Assigned, Owned, Placed, Rule, Through, rule_of

_EXEMPT = {"reach": "where an audited record lies"}


class Places:
    """The places of the records of one flush; what several lie in is asked once."""

    def __init__(self, session: Session, entities: Iterable[Any] = ()) -> None:
        self._session = session
        self._known: dict[tuple[type, UUID], frozenset[Place]] = {}
        self._look_up(entities)

    def of(self, entity: Any) -> list[Place]:
        """A record's places, with those that the change took it away from; none for what the whole company shares."""
        cls = type(entity)
        rules = {rule_of(cls), rule_of(cls, change=True)}
        return sorted({place for rule in rules for place in self._by(rule, entity)}, key=str)

    def _look_up(self, entities: Iterable[Any]) -> None:
        """Ask at once for the places of all that are assigned, or lie with something assigned."""
        wanted: dict[type, set[UUID]] = {}
        for entity in entities:
            cls, key, rule = type(entity), getattr(entity, "id", None), rule_of(type(entity))
            if isinstance(rule, Through):
                cls, key, rule = rule.parent(), getattr(entity, rule.column), rule_of(rule.parent())
            if isinstance(rule, Assigned) and key:
                wanted.setdefault(cls, set()).add(key)
        for cls, keys in wanted.items():
            rule = rule_of(cls)
            assert isinstance(rule, Assigned)
            found: dict[UUID, set[Place]] = {key: set() for key in keys}
            for key, owner, unit in self._lying(cls, rule, keys):
                found[key].add((owner, unit))
            self._known |= {(cls, key): frozenset(places) for key, places in found.items()}

    def _lying(self, cls: type, rule: Assigned, keys: set[UUID]) -> Iterator[tuple[Any, ...]]:
        """Key, owner and unit of every assignment; those of new records are all at hand, new themselves."""
        new = {entity.id for entity in self._session.new if isinstance(entity, cls)} & keys  # type: ignore[attr-defined]
        for entity in self._session.new:
            if isinstance(entity, rule.rows()) and getattr(entity, rule.key) in new:
                yield getattr(entity, rule.key), entity.owner_id, entity.unit_id  # type: ignore[attr-defined]
        held = self._held(cls, rule, keys - new)
        for row in (row for rows in held.values() for row in rows):
            yield getattr(row, rule.key), row.owner_id, row.unit_id
        if kept := keys - new - held.keys():
            table: Any = rule.rows().__table__  # type: ignore[attr-defined]
            lying = select(table.c[rule.key], table.c.owner_id, table.c.unit_id).where(table.c[rule.key].in_(kept))
            found = self._session.connection().execute(lying, execution_options=_EXEMPT)
            yield from (tuple(row) for row in found)

    def _held(self, cls: type, rule: Assigned, keys: set[UUID]) -> dict[UUID, list[Any]]:
        """The assignments that the session has at hand, whole, with what is assigned."""
        relationship = _relationship(cls, rule)
        if not relationship:
            return {}
        present = ((key, self._session.identity_map.get(identity_key(cls, key))) for key in keys)
        return {
            key: inspect(one).dict[relationship] for key, one in present if one and relationship in inspect(one).dict
        }

    def _by(self, rule: Rule, entity: Any) -> Iterable[Place]:
        if isinstance(rule, Either):
            return {place for each in rule.rules for place in self._by(each, entity)}
        if isinstance(rule, Owned):
            owners, units = _now_and_before(entity, rule.owner), _now_and_before(entity, rule.unit)
            return [(owner, unit) for owner, unit in zip(owners, units, strict=True) if unit]
        if isinstance(rule, Placed):
            names = filter(None, (rule.unit, rule.new_in))
            return [(None, unit) for name in names for unit in _now_and_before(entity, name) if unit]
        if isinstance(rule, Through):
            parents = {key for key in _now_and_before(entity, rule.column) if key}
            return [place for key in parents for place in self._kept(rule.parent(), key)]
        return self._kept(type(entity), entity.id)

    def _kept(self, cls: type, key: UUID) -> frozenset[Place]:
        if (cls, key) not in self._known:
            wanted = select_places(rule_of(cls), cls, [key])
            rows = self._session.connection().execute(wanted, execution_options=_EXEMPT) if wanted is not None else ()
            self._known[cls, key] = frozenset((owner, unit) for owner, unit in rows if unit)
        return self._known[cls, key]


def select_places(rule: Rule, cls: Any, keys: Sequence[UUID] | Select[Any]) -> Select[Any] | None:
    """Owners and units of the rows of a class with these keys; nothing where the rule knows none."""
    if isinstance(rule, Owned | Placed):
        table = cls.__table__
        owner = table.c[rule.owner] if isinstance(rule, Owned) else null()
        return select(owner, table.c[rule.unit]).where(table.c.id.in_(keys))
    if isinstance(rule, Assigned):
        rows: Any = rule.rows()
        return select(rows.__table__.c.owner_id, rows.__table__.c.unit_id).where(rows.__table__.c[rule.key].in_(keys))
    if isinstance(rule, Through):
        parents = select(cls.__table__.c[rule.column]).where(cls.__table__.c.id.in_(keys))
        return select_places(rule_of(rule.parent()), rule.parent(), parents)
    if isinstance(rule, AnyOf):
        places: Any = rule.places()
        held = select(places.__table__.c.id).where(places.__table__.c[rule.key].in_(keys))
        return select_places(rule_of(places), places, held)
    return None


@cache
def _relationship(cls: type, rule: Assigned) -> str:
    """The attribute that holds the assignments of what is assigned, where all of them come with it; or nothing."""
    rows: Any = rule.rows()
    mapper: Any = inspect(cls)
    found = (one.key for one in mapper.relationships if one.mapper.class_ is rows)
    return next(found, "") if rows.__reach__.included else ""


def _now_and_before(entity: Any, name: str) -> tuple[Any, Any]:
    now = getattr(entity, name)
    before = inspect(entity).committed_state.get(name, now)
    return now, now if isinstance(before, LoaderCallableStatus) else before
