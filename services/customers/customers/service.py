"""What the customers service consists of."""

from pathlib import Path

from chassis.service import ServiceProcesses
from customers.settings import Settings

SERVICE = ServiceProcesses(
    name="customers",
    settings=Settings,
    migrations=Path(__file__).parents[1] / "migrations",
    metadata="customers.tables:METADATA",
    base="customers.base:Base",
    apis="customers.apis:apis",
    prepare="customers.apis:prepare",
    worker="customers.worker:Worker",
    jobs="customers.long_work:KINDS",
    snapshots="customers.snapshots:SOURCES",
    projections="chassis.org_projections:PROJECTIONS",
)
