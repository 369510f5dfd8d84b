"""Who runs what: under root the servers get a system user of their own, for anybody else everything is theirs."""

import os
import pwd
import subprocess
from functools import cache
from pathlib import Path

from deploy.local.bootstrap.system_user import NAME
from deploy.local.credentials import write_private
from deploy.local.paths import PYTHON, ROOT

SETPRIV = "/usr/bin/setpriv"


def prefix(*, server: bool, death_signal: str = "TERM") -> tuple[str, ...]:
    """What a program is started through: it leaves root, and dies with its supervisor."""
    user = _drop() if _is_root() and (server or _python_reachable()) else ()
    return (SETPRIV, *user, f"--pdeathsig={death_signal}", "--")


def own(*paths: Path, server: bool = True) -> None:
    """Hand files and folders (not what is in them) to the user their program runs as."""
    if _is_root() and (server or _python_reachable()):
        account = pwd.getpwnam(NAME)
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def place(path: Path, text: str) -> None:
    """Write a file that only a server may read. It is made anew, so a link in its place leads nowhere."""
    write_private(path, text)
    own(path)


def make_folders(*paths: Path) -> None:
    for path in paths:
        path.mkdir(exist_ok=True)
        own(path)


def can_enter(path: Path) -> bool:
    """Whether the servers' user reaches a folder: a tree under /root, say, is closed to it."""
    return not _is_root() or _allowed("test", "-x", str(path))


@cache
def _python_reachable() -> bool:
    """Python processes run as root where the servers' user cannot read the tree or its interpreter.

    They start others, such as what reads workbooks: that takes an interpreter that their user can start by itself.
    """
    again = (
        f"import subprocess, sys; open({str(ROOT / 'pyproject.toml')!r}); subprocess.check_call([sys.executable, '-V'])"
    )
    return _allowed(str(PYTHON), "-c", again)


def _allowed(*command: str) -> bool:
    return subprocess.run([SETPRIV, *_drop(), "--", *command], capture_output=True, check=False).returncode == 0


def _drop() -> tuple[str, ...]:
    return (f"--reuid={NAME}", f"--regid={NAME}", "--init-groups")


def _is_root() -> bool:
    return os.geteuid() == 0
