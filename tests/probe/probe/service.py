"""What the probe consists of."""

from pathlib import Path

from chassis.service import ServiceProcesses
from probe.settings import Settings

SERVICE = ServiceProcesses(
    name="probe",
    settings=Settings,
    migrations=Path(__file__).parents[1] / "migrations",
    metadata="probe.model:METADATA",
    base="probe.model:Base",
    apis="probe.apis:apis",
    worker="probe.worker:Worker",
    snapshots="probe.snapshots:SOURCES",
    projections="probe.projections:PROJECTIONS",
    witness="probe",
)
