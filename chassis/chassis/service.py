"""How a service declares itself: `SERVICE` in its `service.py` names what its processes need, importing none of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from chassis.settings import ProcessSettings


@dataclass(frozen=True, kw_only=True)
class ServiceProcesses:
    """A service's parts, each "module:attribute", imported by the one kind of process that runs it.

    A worker must never load grpc nor an API eventlet, so nothing here is imported before it is wanted.
    """

    name: str
    settings: type[ProcessSettings]
    # The folder of the Alembic tree.
    migrations: Path
    # Sequence[MetaData]: the service's own tables, for the drift check.
    metadata: str
    # Callable[[settings], Sequence[Api]]: what `serve` serves.
    apis: str = ""
    # The declarative base whose classes the APIs reach.
    base: str = ""
    # The nameko class that `work` runs.
    worker: str = ""
    # Callable[[settings], None]: what `serve` and `jobs` make ready before they begin.
    prepare: str = ""
    # Mapping[str, jobs.Kind]: the long work that `jobs` does, by kind.
    jobs: str = ""
    # Sequence[Source]: what others may fill their projections from.
    snapshots: str = ""
    # Sequence[Projection]: what `backfill` and `reconcile` fill and compare.
    projections: str = ""
    # The service that keeps the heads of this one's audit chain.
    witness: str = "identity"
    # Rights on the chassis's tables beyond the usual ones: process kind → table → privileges.
    rights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def resolve(reference: str) -> Any:
    """What "module:attribute" names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def declared(name: str) -> ServiceProcesses:
    """The declaration of a service by its package's name."""
    found = resolve(f"{name}.service:SERVICE")
    if not isinstance(found, ServiceProcesses):
        raise TypeError(f"{name}.service:SERVICE is no ServiceProcesses")
    return found
