"""A rule of reach that is several: the row is reached by any of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_

from chassis.reach import Rule, Scope


@dataclass(frozen=True)
class Either:
    """The row is reached by any of the rules; what it lacks, such as one of two parents, reaches nothing."""

    rules: tuple[Rule, ...]

    def of_row(self, row: Any, scope: Scope) -> ColumnElement[bool]:
        return or_(*(rule.of_row(row, scope) for rule in self.rules))

    def of_key(self, cls: type, key: Any, scope: Scope) -> ColumnElement[bool]:
        return or_(*(rule.of_key(cls, key, scope) for rule in self.rules))
