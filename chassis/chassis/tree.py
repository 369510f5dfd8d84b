"""The unit tree in memory, so that reach becomes literal arrays and not joins."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Engine, select

from chassis import schema


@dataclass(frozen=True, eq=False)
class Tree:
    """The units as one tree version has them: each unit's parent. Each reading is its own."""

    version: int
    parents: dict[UUID, UUID | None]
    _children: dict[UUID, list[UUID]] = field(default_factory=dict)
    _below: dict[frozenset[UUID], frozenset[UUID]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for unit, parent in self.parents.items():
            if parent:
                self._children.setdefault(parent, []).append(unit)

    def below(self, roots: Iterable[UUID]) -> frozenset[UUID]:
        """These units and all below them; units not known here are left out."""
        wanted = frozenset(roots)
        if wanted not in self._below:
            found: set[UUID] = set()
            todo = [unit for unit in wanted if unit in self.parents]
            while todo:
                unit = todo.pop()
                if unit not in found:
                    found.add(unit)
                    todo += self._children.get(unit, ())
            self._below[wanted] = frozenset(found)
        return self._below[wanted]

    def under(self, unit: UUID, roots: frozenset[UUID]) -> bool:
        """Whether a unit is one of `roots` or lies below one."""
        at: UUID | None = unit
        while at is not None and at in self.parents:
            if at in roots:
                return True
            at = self.parents[at]
        return False

    def is_everything(self, roots: frozenset[UUID]) -> bool:
        """Whether every unit lies below these: they hold the company itself."""
        return any(unit in self.parents and self.parents[unit] is None for unit in roots)


class TreeCache:
    """Keeps the tree of one database, at most `check_s` seconds behind it."""

    def __init__(self, engine: Engine, *, check_s: float = 1.0) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._check_s = check_s
        self._checked = float("-inf")
        self._tree = Tree(0, {})
        self._lock = threading.Lock()

    def current(self) -> Tree:
        if time.monotonic() - self._checked > self._check_s:
            with self._lock:
                if time.monotonic() - self._checked > self._check_s:
                    self._tree = self._reload()
                    self._checked = time.monotonic()
        return self._tree

    def forget(self) -> None:
        """Ask the database again at the next use: this process has just changed the tree."""
        self._tree, self._checked = Tree(0, {}), float("-inf")

    def _reload(self) -> Tree:
        with self._engine.connect().execution_options(reach="organisation") as connection:
            version = connection.scalar(select(schema.org_state.c.tree_version)) or 0
            if version == self._tree.version and version:
                return self._tree
            rows = connection.execute(select(schema.org_units.c.id, schema.org_units.c.parent_id))
            return Tree(version, {row.id: row.parent_id for row in rows})
