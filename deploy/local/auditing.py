"""Verifies the audit trail of every service of the running platform."""

import os
import subprocess

from deploy.local import processes, topology
from deploy.local.instance import Instance
from deploy.local.paths import PYTHON, ROOT
from deploy.local.progress import say


def verify(instance: Instance) -> int:
    """0 where all trails are as they were written, else 1; each service's process says what is wrong."""
    wrong = 0
    for service in topology.present():
        say(f"  verifying the audit trail of {service.name} …")
        told = {**os.environ, **processes.verifying(instance, service)}
        command = [str(PYTHON), "-m", service.name, "verify-audit"]
        wrong |= subprocess.run(command, cwd=ROOT, env=told, check=False).returncode
    return 1 if wrong else 0
