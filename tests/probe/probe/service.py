"""What the probe consists of."""

from pathlib import Path

from chassis.service import ServiceProcesses
from probe.settings import Settings

SERVICE = ServiceProcesses(
    name="probe",
    settings=Settings,
    migrations=Path(__file__).parents[1] / "migrations",
    metadata="probe.model:METADATA",
    worker="probe.worker:Worker",
    snapshots="probe.snapshots:SOURCES",
    projections="probe.projections:PROJECTIONS",
)
