"""What the identity service consists of."""

from pathlib import Path

from chassis.service import ServiceProcesses
from identity.settings import Settings

# Identity is the organisation's source: its API and its jobs change the tables that are a projection elsewhere.
_ORGANISATION = {
    "org_state": "INSERT, UPDATE",
    "org_units": "INSERT, UPDATE",
    "org_closure": "INSERT, DELETE",
    "org_people": "INSERT, UPDATE",
}

SERVICE = ServiceProcesses(
    name="identity",
    settings=Settings,
    migrations=Path(__file__).parents[1] / "migrations",
    metadata="identity.tables:METADATA",
    base="identity.tables:Base",
    apis="identity.apis:apis",
    worker="identity.worker:Worker",
    jobs="identity.long_work:KINDS",
    rights={"api": _ORGANISATION, "jobs": _ORGANISATION},
    witness="customers",
)
