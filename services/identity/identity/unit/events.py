"""What identity publishes of units."""

from collections.abc import Iterable

from chassis import outbox
from chassis.envelope import Envelope
from identity.unit.model import Unit
from tongxiao.identity.events.v1 import events_pb2 as pb
from tongxiao.identity.v1 import unit_pb2

CHANGED, SUBJECT = "org.changed.v1", "org"


def org_changed(tree_version: int, units: Iterable[Unit]) -> Envelope:
    """What one version of the tree changed."""
    data = pb.OrgChanged(tree_version=tree_version, units=[public_state(unit) for unit in units])
    return outbox.state("identity", CHANGED, data, subject=SUBJECT, version=tree_version)


def public_state(unit: Unit) -> pb.OrgUnit:
    return pb.OrgUnit(
        id=str(unit.id),
        parent_id=str(unit.parent_id or ""),
        code=unit.code,
        name=unit.name,
        name_en=unit.name_en,
        kind=_plain(unit_pb2.UnitKind.Name(unit.kind)),  # type: ignore[arg-type]
        time_zone=unit.time_zone,
        currency=unit.currency,
        state=_plain(unit_pb2.UnitState.Name(unit.state)),  # type: ignore[arg-type]
    )


def _plain(name: str) -> str:
    """`BRANCH` for UNIT_KIND_BRANCH."""
    return name.split("_", 2)[2]
