"""A call in progress: its RPC, caller, session, and the reach that follows from them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from chassis import reach
from chassis.caller import Caller, FieldAccess, Grant, Place
from chassis.errors import refuse
from chassis.reach import Scope
from chassis.rpc import Rpc
from chassis.tree import TreeCache
from tongxiao.common.v1 import options_pb2

# A governed field that a role says nothing about is shown in part.
DEFAULT_FIELD_ACCESS = FieldAccess.MASKED


FieldRights = tuple[list[tuple[Grant, FieldAccess]], FieldAccess | None]


@dataclass
class Call:
    """One call. `session` reaches what the caller may read; changes are checked against what they may change."""

    rpc: Rpc
    caller: Caller
    session: Session
    trees: TreeCache
    classes: tuple[type, ...]
    origin: str = ""
    reading: int = 0
    _scopes: dict[tuple[int, bool], Scope] = field(default_factory=dict)
    _rights: dict[tuple[int, str], FieldRights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reading = self.reading or self.rpc.read_permission
        self.session.info["call"] = self

    @property
    def read_scope(self) -> Scope:
        return self.scope(self.reading)

    @property
    def change_scope(self) -> Scope:
        return self.scope(self.rpc.permission, writes=True)

    def scope(self, permission: int, *, writes: bool = False) -> Scope:
        """What the grants holding a permission reach; a share lets nobody manage."""
        key = (permission, writes)
        if key not in self._scopes:
            shares = not writes or self.rpc.access == options_pb2.ACCESS_WRITE
            tree = self.trees.current()
            self._scopes[key] = reach.scope_of(self.caller, permission, tree, writes=writes, shares=shares)
        return self._scopes[key]

    @contextmanager
    def reading_as(self, permission: int) -> Iterator[None]:
        """Read under another permission of the caller's for a while; nothing is reached where they lack it."""
        before, self.reading = self.reading, permission
        try:
            yield
        finally:
            self.reading = before

    def reads_alike(self, permission: int) -> bool:
        """Whether what is read under another permission is all that is read under the present one, and no more."""
        own, other = self.read_scope, self.scope(permission)
        return (own.own, own.governed, own.sharee) == (other.own, other.governed, other.sharee)

    @property
    def _acting(self) -> int:
        """The permission that this RPC deals with fields by."""
        return self.rpc.permission if self.rpc.writes else self.reading

    def field_access(self, name: str, places: Iterable[Place] = ()) -> FieldAccess:
        """What the caller may do, in this RPC, with a governed field of a record that lies in these places.

        Where the grants differ, the one counts that reaches the record, for a shared one any; without places, and so of
        whatever it may be, the least of them.
        """
        return self._access(name, self._acting, places)

    def read_access(self, name: str, places: Iterable[Place] = ()) -> FieldAccess:
        """The same by what lets the caller read records, in an RPC that writes too."""
        return self._access(name, self.reading, places)

    def _access(self, name: str, permission: int, places: Iterable[Place]) -> FieldAccess:
        rights, common = self._field_rights(name, permission)
        if common is not None:
            return common
        lying = list(places)
        if not lying:
            return min(access for _, access in rights)
        reaching = [access for grant, access in rights if any(self._reaches(grant, place) for place in lying)]
        return max(reaching or (access for _, access in rights))

    def grants_differ(self, name: str) -> bool:
        """Whether it matters where a record lies that has this governed field."""
        return self._field_rights(name, self._acting)[1] is None

    def _field_rights(self, name: str, permission: int) -> FieldRights:
        """What each grant allows with a field, and what all of them do if that is the same."""
        key = (permission, name)
        if key not in self._rights:
            granting = self.caller.granting(permission)
            rights = [(grant, grant.field_rights.get(name, DEFAULT_FIELD_ACCESS)) for grant in granting]
            known = {access for _, access in rights} or {FieldAccess.HIDDEN}
            self._rights[key] = rights, known.pop() if len(known) == 1 else None
        return self._rights[key]

    def _reaches(self, grant: Grant, place: Place) -> bool:
        owner, unit = place
        tree, governed = self.trees.current(), frozenset(grant.governs)
        mine = owner == self.caller.person_id and tree.under(unit, governed | {grant.unit_id})
        return mine or tree.under(unit, governed)

    def demand_readable(self, name: str, *, field: str) -> None:
        """Refuse FIELD_NOT_READABLE to filter, sort or search by a governed field that is not read in clear."""
        if self.field_access(name) < FieldAccess.READ:
            raise refuse("FIELD_NOT_READABLE", field=field)


def mapped_classes(base: Any) -> tuple[type, ...]:
    """The classes mapped on a service's base; TypeError names those that do not declare their reach."""
    classes = tuple(mapper.class_ for mapper in base.registry.mappers)
    silent = [cls.__name__ for cls in classes if not isinstance(getattr(cls, "__reach__", None), reach.Reach)]
    if silent:
        raise TypeError(f"these mapped classes declare no __reach__: {', '.join(sorted(silent))}")
    return classes
