"""The tree as one aggregate: changed under a lock, each change under the next version, told as it is made."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy.orm import Session

from chassis import organisation, outbox
from identity.unit import events, queries
from identity.unit.model import Unit

# So many units at most go into one version: an event holds no more than 256 KiB.
STEP = 400


def publish(session: Session, units: Sequence[Unit]) -> None:
    """Keep changed units, parents first, under the next versions of the tree, and tell others of them."""
    version, waiting = queries.lock_tree(session), iter(units)
    while part := list(islice(waiting, STEP)):
        version += 1
        for unit in part:
            unit.tree_version = version
        session.flush()
        organisation.apply_units(session, version, [events.public_state(unit) for unit in part])
        outbox.publish(session, events.org_changed(version, part))
