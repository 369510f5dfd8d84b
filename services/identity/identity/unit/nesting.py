"""Which kinds of units lie below which: company, region, branch, department, team, each below its like or a higher."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from identity.refusals import refuse
from identity.unit import queries
from identity.unit.model import Unit


def fits(kind: int, parent_kind: int) -> bool:
    """Whether a unit of a kind may lie below one of another."""
    # The enum numbers them from the highest down.
    return kind >= parent_kind


def demand_fits(kind: int, parent: Unit, *, field: str) -> None:
    """Refuse UNIT_KIND_ORDER a unit of this kind below that parent."""
    if not fits(kind, parent.kind):
        raise refuse("UNIT_KIND_ORDER", field=field)


def demand_still_fits(session: Session, unit: Unit, today: date) -> None:
    """Refuse UNIT_KIND_ORDER a kind that does not fit the parents and children that a unit has or is to have."""
    above, below = _neighbours(session, unit.id, today)
    units = queries.known_units(session, above | below)
    fitting = all(fits(unit.kind, units[one].kind) for one in above)
    if not (fitting and all(fits(units[one].kind, unit.kind) for one in below if not units[one].is_closed)):
        raise refuse("UNIT_KIND_ORDER", field="unit.kind")


def _neighbours(session: Session, unit_id: UUID, today: date) -> tuple[set[UUID], set[UUID]]:
    stretches: Iterable[tuple[UUID, UUID | None]] = [
        (stretch.unit_id, stretch.parent_id) for stretch in queries.stretches_from(session, today)
    ]
    above = {parent_id for one, parent_id in stretches if one == unit_id and parent_id}
    return above, {one for one, parent_id in stretches if parent_id == unit_id}
