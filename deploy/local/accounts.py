"""Who runs what: under root the servers get a system user of their own, for anybody else everything is theirs."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from deploy.local.bootstrap.system_user import NAME
from deploy.local.paths import PYTHON, ROOT

SETPRIV = "/usr/bin/setpriv"


def prefix(*, server: bool, death_signal: str = "TERM") -> tuple[str, ...]:
    """What a program is started through: it leaves root, and dies with its supervisor."""
    user = _drop() if _is_root() and (server or _python_reachable()) else ()
    return (SETPRIV, *user, f"--pdeathsig={death_signal}", "--")


def own(path: Path, *, server: bool = True) -> None:
    """Hand a folder and what is in it to the user its program runs as."""
    if not _is_root() or not (server or _python_reachable()):
        return
    for folder, _, names in os.walk(path):
        for name in (".", *names):
            shutil.chown(Path(folder) / name, NAME, NAME)


def can_enter(path: Path) -> bool:
    """Whether the servers' user reaches a folder: a tree under /root, say, is closed to it."""
    return not _is_root() or _allowed("test", "-x", str(path))


@cache
def _python_reachable() -> bool:
    """Python processes run as root where the servers' user cannot read the tree or its interpreter."""
    return _allowed(str(PYTHON), "-c", f"open({str(ROOT / 'pyproject.toml')!r})")


def _allowed(*command: str) -> bool:
    return subprocess.run([SETPRIV, *_drop(), "--", *command], capture_output=True, check=False).returncode == 0


def _drop() -> tuple[str, ...]:
    return (f"--reuid={NAME}", f"--regid={NAME}", "--init-groups")


def _is_root() -> bool:
    return os.geteuid() == 0
