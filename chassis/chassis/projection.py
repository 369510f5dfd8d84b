"""Projections: others' states kept here, the newest of each; and how one is filled and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.envelope import Envelope


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a projection keeps, by key, for comparing and healing it.

    `kept` holds it still until its transaction ends; `told` is the same as a snapshot's events tell it. `heal` takes
    over the owner's state of these keys, whatever is kept of them; what the owner does not have goes.
    """

    kept: Callable[[Session], Mapping[str, Any]]
    told: Callable[[Sequence[Envelope]], Mapping[str, Any]]
    heal: Callable[[Session, Sequence[Envelope], Sequence[str]], None]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """What is kept of one type of event of another service.

    `apply` is what the worker calls too; it must bear events in any order, and twice. `fill`, where given, takes a
    whole snapshot at once instead. `versions` selects key and version of each state kept, for `reconcile`; facts have
    none. `contents`, where given, has it compare all that is kept, not versions alone, and take over whatever differs.
    """

    source: str
    type: str
    apply: Callable[[Session, Envelope], object]
    fill: Callable[[Session, Sequence[Envelope]], None] | None = None
    versions: Select[*tuple[Any, ...]] | None = None
    contents: Contents | None = None


def upsert_newer(session: Session, table: FromClause, values: Mapping[str, Any], *, key: str = "id") -> bool:
    """Keep a state unless the same or a newer `version` of it is kept already; whether it was kept."""
    statement = insert(table).values(values)  # type: ignore[arg-type]
    changed = {name: statement.excluded[name] for name in values if name != key}
    newer = table.c.version < statement.excluded.version
    statement = statement.on_conflict_do_update(index_elements=[key], set_=changed, where=newer)
    kept = session.execute(statement.returning(table.c[key]), execution_options={"reach": "projection"})
    return kept.first() is not None
