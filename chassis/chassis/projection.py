"""Projections: others' states kept here, the newest of each; and how one is filled and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.envelope import Envelope


@dataclass(frozen=True, kw_only=True)
class Projection:
    """What is kept of one type of event of another service.

    `apply` is what the worker calls too; it must bear events in any order, and twice. `fill`, where given, takes a
    whole snapshot at once instead. `versions` selects key and version of each state kept, for `reconcile`; facts have
    none.
    """

    source: str
    type: str
    apply: Callable[[Session, Envelope], None]
    fill: Callable[[Session, Sequence[Envelope]], None] | None = None
    versions: Select[*tuple[Any, ...]] | None = None


def upsert_newer(session: Session, table: FromClause, values: Mapping[str, Any], *, key: str = "id") -> bool:
    """Keep a state unless the same or a newer `version` of it is kept already; whether it was kept."""
    statement = insert(table).values(values)  # type: ignore[arg-type]
    changed = {name: statement.excluded[name] for name in values if name != key}
    newer = table.c.version < statement.excluded.version
    statement = statement.on_conflict_do_update(index_elements=[key], set_=changed, where=newer)
    kept = session.execute(statement.returning(table.c[key]), execution_options={"reach": "projection"})
    return kept.first() is not None
