"""CPU spent, in milliseconds, as the kernel counts it."""

import os
from pathlib import Path

from chassis.testing.databases import ServiceDatabase

TICKS = os.sysconf("SC_CLK_TCK")


def of_process(pid: int) -> float:
    """What a process has used until now; nothing once it has ended."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def of_database(database: ServiceDatabase) -> float:
    """What PostgreSQL's processes for this database have used until now, but for this question's own."""
    with database.admin() as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", (database.name,)
        )
        return sum(of_process(pid) for (pid,) in found)
