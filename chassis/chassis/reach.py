"""Reach, the one rule about rights: which rows a caller's grants get at, for reading and for changing.

Every mapped class declares `__reach__`. In an API session the rule is added to every ORM statement, and whatever
would slip past it is refused; before a flush, every changed row must be one that the caller may change.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, false, func, or_, select
from sqlalchemy.orm import with_loader_criteria

from chassis import schema
from chassis.arrays import uuids as uuids
from chassis.caller import Caller
from chassis.tree import Tree

# Criteria that are kept ready: one takes 0.2 ms to make and 80 KB to keep.
KEPT = 1024


@dataclass(frozen=True, eq=False)
class Scope:
    """What the grants holding one permission reach. `sharee` is empty where shares do not count."""

    person_id: UUID
    tree: Tree
    own: frozenset[UUID]
    governed: frozenset[UUID]
    sharee: UUID | None
    writes: bool = False

    @cached_property
    def everything(self) -> bool:
        return self.tree.is_everything(self.governed)

    @cached_property
    def governed_units(self) -> frozenset[UUID]:
        return self.tree.below(self.governed)

    @cached_property
    def own_units(self) -> frozenset[UUID]:
        return self.tree.below(self.own)

    def covers(self, owner_id: UUID | None, unit_id: UUID) -> bool:
        """Whether a row of this owner and unit is reached, shares apart."""
        mine = owner_id == self.person_id and self.tree.under(unit_id, self.own)
        return mine or self.tree.under(unit_id, self.governed)


@lru_cache(maxsize=4096)
def scope_of(caller: Caller, permission: int, tree: Tree, *, writes: bool = False, shares: bool = True) -> Scope:
    """The reach of the caller's grants that hold `permission`; the others count for nothing."""
    grants = caller.granting(permission)
    governed = frozenset(unit for grant in grants for unit in grant.governs)
    return Scope(
        person_id=caller.person_id,
        tree=tree,
        own=governed | {grant.unit_id for grant in grants},
        governed=governed,
        sharee=caller.person_id if shares and grants else None,
        writes=writes,
    )


class Rule(Protocol):
    """How rows of a class are reached: a condition on a row, or on the key of one."""

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]: ...

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]: ...


@dataclass(frozen=True)
class Owned:
    """The row names its owner and its unit."""

    owner: str = "owner_id"
    unit: str = "unit_id"

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return _owned(getattr(row, self.owner), getattr(row, self.unit), scope)

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:
        table = _table(cls)
        return select(1).where(table.c.id == key, _owned(table.c[self.owner], table.c[self.unit], scope)).exists()


@dataclass(frozen=True)
class Placed:
    """The row lies in a unit and nobody owns it: read by grants of the unit or above, changed by those that govern it.

    `unit` names its column; where a new row's place is told by another, `new_in` names that.
    """

    unit: str = "unit_id"
    new_in: str = ""

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return _within(getattr(row, self.unit), _placing(scope))

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:
        table = _table(cls)
        return select(1).where(table.c.id == key, _within(table.c[self.unit], _placing(scope))).exists()

    def admits(self, entity: Any, scope: Scope) -> ColumnElement[bool]:
        """Whether a row that is not in the database yet would be reached there."""
        if scope.everything:
            return _TRUE
        return _within(getattr(entity, self.new_in or self.unit), _placing(scope))


@dataclass(frozen=True)
class Assigned:
    """Rows of another class name owners and units for it; single rows may be shared."""

    rows: Callable[[], type]
    key: str
    entity: str

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return self.of_key(object, row.id, scope)

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG002
        table = _table(self.rows())
        assigned = select(1).where(table.c[self.key] == key, _owned(table.c.owner_id, table.c.unit_id, scope)).exists()
        return or_(assigned, _shared(self.entity, key, scope)) if scope.sharee else assigned


@dataclass(frozen=True)
class Through:
    """The row is reached when its parent is."""

    parent: Callable[[], type]
    column: str

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return rule_of(self.parent()).of_key(self.parent(), getattr(row, self.column), scope)

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:
        table = _table(cls)
        return select(1).where(table.c.id == key, self.of_row(table.c, scope)).exists()


@dataclass(frozen=True)
class AnyOf:
    """The row is reached when any of its places, each with a parent, is."""

    places: Callable[[], type]
    key: str

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return self.of_key(object, row.id, scope)

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG002
        places = self.places()
        table = _table(places)
        return select(1).where(table.c[self.key] == key, rule_of(places).of_row(table.c, scope)).exists()


@dataclass(frozen=True)
class Unscoped:
    """Everybody who holds the permission reaches every row; the reason says why that is right."""

    reason: str

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG002
        return _TRUE

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG002
        return _TRUE


@dataclass(frozen=True)
class Reach:
    """A class's rules: who may read its rows, and who may change them (the same, unless another is given).

    `included`: rows come along with the record that holds them; only selecting them directly applies the rule.
    """

    read: Rule
    change: Rule | None = None
    included: bool = False


_TRUE = ~false()


def rule_of(cls: type, *, change: bool = False) -> Rule:
    declared: Reach = cls.__reach__  # type: ignore[attr-defined]
    return (change and declared.change) or declared.read


@lru_cache(maxsize=KEPT)
def criterion(scope: Scope, cls: type) -> Any:
    """The option that narrows a class in a statement to what the scope reads."""
    return with_loader_criteria(cls, rule_of(cls).of_row(cls, scope), include_aliases=True)


def criteria(scope: Scope, classes: Iterable[type]) -> list[Any]:
    """The options that narrow a statement's classes to what the scope reads."""
    if scope.everything:
        return []
    return [criterion(scope, cls) for cls in classes if not isinstance(rule_of(cls), Unscoped)]


def condition(cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:
    """Whether the row with this key may be changed in this scope."""
    return _TRUE if scope.everything else rule_of(cls, change=True).of_key(cls, key, scope)


@lru_cache(maxsize=KEPT)
def demanded(cls: type, scope: Scope) -> Select[Any]:
    """Asks whether the row with the `key` bound to it may be changed in this scope."""
    return select(condition(cls, bindparam("key", type_=Uuid()), scope))


def _owned(owner: Any, unit: Any, scope: Scope) -> ColumnElement[bool]:
    mine = and_(owner == bindparam(None, scope.person_id, Uuid()), _within(unit, scope.own))
    return or_(mine, _within(unit, scope.governed))


def _placing(scope: Scope) -> frozenset[UUID]:
    return scope.governed if scope.writes else scope.own


def _within(unit: Any, roots: frozenset[UUID]) -> ColumnElement[bool]:
    if not roots:
        return false()
    closure = schema.org_closure.alias()
    return select(1).where(closure.c.descendant_id == unit, closure.c.ancestor_id == func.any(uuids(roots))).exists()


def _shared(entity: str, key: Any, scope: Scope) -> ColumnElement[bool]:
    access = schema.access.alias().c
    of_person = access.person_id == bindparam(None, scope.sharee, Uuid())
    lasting = or_(access.expires_at.is_(None), access.expires_at > func.now())
    counting = [access.entity == entity, access.entity_id == key, lasting, *([access.writes] if scope.writes else [])]
    return select(1).where(of_person, *counting).exists()


def _table(cls: type) -> Any:
    return cls.__table__.alias()  # type: ignore[attr-defined]
