"""Compares projections with their owners, names what differs, and takes over what does where told to.

python -m <service> reconcile [--repair] [TYPE…]
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis import backfill, envelope
from chassis.backfill import Owner
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.projection import Contents, Projection
from chassis.service import ServiceProcesses
from chassis.settings import ProcessSettings
from chassis.snapshot import bucket_hashes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """What differs under one key: in words, without what may be personal."""

    key: str
    what: str


def run(service: ServiceProcesses, settings: ProcessSettings, arguments: Sequence[str]) -> int:
    """The process `reconcile`: 0 where projections agree with their owners, or do once repaired; else 1.

    Each difference is named. What changes at the moment may show up too; repairing leaves it to the event on its way.
    """
    asked = _parse(arguments)
    left = 0
    with backfill.engine_of(service, settings) as engine:
        for projection in backfill.chosen(service, asked.types):
            owner = backfill.owner_of(projection, settings)
            found = compare(engine, owner, projection)
            for difference in found:
                log.warning("%s %s: %s", projection.type, difference.key, difference.what)
            if found and asked.repair:
                repair(engine, owner, projection, consumer=service.name)
                log.info("%s repaired: %s", projection.type, len(found))
                found = compare(engine, owner, projection)
            left += len(found)
    log.info("%s differences", left)
    return 1 if left else 0


def compare(engine: Engine, owner: Owner, projection: Projection) -> list[Difference]:
    """Each key under which the owner has something else; none of facts, which have no versions."""
    if projection.contents:
        with transaction(engine) as session:
            kept = projection.contents.kept(session)
        return differences(projection.contents.told(_snapshot(owner, projection)), kept)
    if projection.versions is None:
        return []
    with transaction(engine) as session:
        hashes = bucket_hashes(session, projection.versions)
        versions = {str(key): version for key, version in session.execute(projection.versions)}
    if hashes == owner.hashes(projection.type):
        return []
    return differences({event.subject: event.version for event in _snapshot(owner, projection)}, versions)


def repair(engine: Engine, owner: Owner, projection: Projection, *, consumer: str) -> None:
    """Take over the owner's state of what differs; without `contents` only what is missing or older."""
    if projection.contents is None:
        backfill.fill(engine, owner, projection, consumer=consumer)
        return
    with transaction(engine) as session:
        before = projection.contents.kept(session)
    events = _snapshot(owner, projection)
    with transaction(engine) as session:
        _heal(session, projection.contents, events, before)


def differences(told: Mapping[str, Any], kept: Mapping[str, Any]) -> list[Difference]:
    """Keys in order, each with what differs."""
    keys = sorted(told.keys() | kept.keys())
    return [Difference(key, _what(told.get(key), kept.get(key))) for key in keys if told.get(key) != kept.get(key)]


def _heal(session: Session, contents: Contents, events: Sequence[Envelope], before: Mapping[str, Any]) -> None:
    """What is still as it was before the owner was asked is older than the answer; the rest has had its event."""
    kept = contents.kept(session)
    differing = [difference.key for difference in differences(contents.told(events), kept)]
    stale = [key for key in differing if kept.get(key) == before.get(key)]
    if stale:
        contents.heal(session, events, stale)


def _what(told: Any, kept: Any) -> str:
    if isinstance(told, Mapping) and isinstance(kept, Mapping):
        return ", ".join(name for name in told if told[name] != kept.get(name)) + " differ"
    if not (isinstance(told, int) or isinstance(kept, int)):
        return "is missing" if kept is None else "is not the owner's"
    return f"owner has {told}, kept is {kept}"


def _snapshot(owner: Owner, projection: Projection) -> list[Envelope]:
    return [envelope.decode(item.envelope) for item in owner.items(projection.type)]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("types", nargs="*")
    parser.add_argument("--repair", action="store_true")
    return parser.parse_args(arguments)
