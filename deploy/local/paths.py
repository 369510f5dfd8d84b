"""Where things lie in the tree. Standard library only: the first stage runs before anything is installed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
RUN = ROOT / ".run"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"

KEYCLOAK_VERSION = "26.7.4"
KEYCLOAK = CACHE / f"keycloak-{KEYCLOAK_VERSION}"
