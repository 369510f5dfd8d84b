"""The tree's own Python environment: exactly the locked packages, and the workspace's members in editable form."""

import importlib.util
import os
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from deploy.local.bootstrap import stamps
from deploy.local.paths import CACHE, LOCK, PYTHON, ROOT, VENV
from deploy.local.progress import SetupError, run, step

STAMP = VENV / ".installed"
UV = VENV / "bin" / "uv"
ADVICE = "Is the package registry reachable? Start again to resume; `rm -r .venv` starts from scratch."


def needs_package() -> bool:
    """Debian's python3 comes without ensurepip, and venv needs it."""
    return not PYTHON.exists() and importlib.util.find_spec("ensurepip") is None


def ensure() -> None:
    wanted = _fingerprint()
    if PYTHON.exists() and stamps.is_fresh(STAMP, wanted):
        return
    with step("installing Python packages"):
        _create()
        _install_uv()
        _uv("sync", "--require-hashes", str(LOCK))
        editable = [flag for member in members() for flag in ("--editable", str(member))]
        _uv("install", "--no-deps", "--no-build-isolation", *editable)
        stamps.write(STAMP, wanted)


def members() -> list[Path]:
    """The folders named by the workspace that hold a project already."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    folders = (folder for pattern in workspace["members"] for folder in sorted(ROOT.glob(pattern)))
    return [folder for folder in folders if (folder / "pyproject.toml").is_file()]


def uv_requirement(lock: str) -> str:
    """The lock's entry for uv with its hashes: uv installs everything else."""
    found = re.search(r"^uv==(?:.*\\\n)*.*$", lock, re.MULTILINE)
    if found is None:
        raise SetupError("requirements.lock does not pin uv: add it to the workspace's development dependencies.")
    return found[0] + "\n"


def _fingerprint() -> str:
    projects = [ROOT / "pyproject.toml", *(member / "pyproject.toml" for member in members())]
    return stamps.fingerprint([LOCK, *projects], salt=str(VENV))


def _create() -> None:
    if not _works():
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(VENV)], "Install python3-venv and start again.")


def _works() -> bool:
    """A venv whose interpreter is gone is a dangling link; one that was moved names its old place in every script."""
    made_for = VENV / "pyvenv.cfg"
    return PYTHON.exists() and (VENV / "bin" / "pip").exists() and str(VENV) in made_for.read_text()


def _install_uv() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(uv_requirement(LOCK.read_text()))
        requirement.flush()
        flags = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        run([str(PYTHON), "-m", "pip", "install", *flags, "--requirement", requirement.name], ADVICE)


def _uv(command: str, *arguments: str) -> None:
    environment = {**os.environ, "UV_CACHE_DIR": str(CACHE / "uv")}
    run([str(UV), "pip", command, "--quiet", "--python", str(PYTHON), *arguments], ADVICE, environment=environment)
