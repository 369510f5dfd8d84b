"""Fills a fresh installation with the demo company, once."""

import os
import subprocess

from deploy.local import environment
from deploy.local.instance import Instance
from deploy.local.paths import PYTHON, ROOT
from deploy.local.progress import SetupError, say


def seed(instance: Instance) -> None:
    """Run the seeder unless it has succeeded before. It is safe to repeat after a failure."""
    stamp = instance.home / "seeded"
    if stamp.exists() or not (ROOT / "deploy" / "demo" / "demo" / "__main__.py").is_file():
        return
    say("  seeding the demo company …")
    told = {**os.environ, **environment.variables(instance)}
    if subprocess.run([str(PYTHON), "-m", "demo", "seed"], cwd=ROOT, env=told, check=False).returncode:
        raise SetupError("Seeding failed; everything else is up. Mend the cause, then `make run` tries again.")
    stamp.touch()
