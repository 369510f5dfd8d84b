"""One running copy of the platform: its folder, its secrets, and the addresses of its parts."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import accounts
from deploy.local.credentials import Credentials
from deploy.local.paths import ROOT, RUN
from deploy.local.profiles import Profile
from deploy.local.progress import SetupError, step

LONGEST_SOCKET_PATH = 95  # Unix allows 107 bytes, and the supervisor appends its process id for a moment.


@dataclass(frozen=True, kw_only=True)
class Instance:
    profile: Profile
    home: Path
    outside: Mapping[str, str]
    credentials: Credentials

    def port(self, offset: int) -> int:
        return self.profile.port(offset)

    def folder(self, name: str) -> Path:
        path = self.home / name
        path.mkdir(exist_ok=True)
        return path

    def given(self, variable: str) -> str | None:
        """An address given from outside; the part behind it is then not started here."""
        return self.outside.get(variable) or None

    @property
    def socket(self) -> Path:
        return self.home / "supervisor.sock"

    @property
    def environment_file(self) -> Path:
        return self.home / "environment.json"

    def log(self, program: str) -> Path:
        return self.home / "log" / f"{program}.log"

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Starting and stopping the same instance at the same time would tear it apart."""
        with (self.home.parent / f"{self.profile.name}.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with step(f"waiting: `{self.profile.name}` is being started or stopped elsewhere"):
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def find(profile: Profile) -> Instance:
    """The tree's instance of that profile. Its folder exists afterwards; nothing in it is started."""
    home = _home(profile)
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise SetupError(f"{home} belongs to another user. Work as that user, or let it run `make reset` first.")
    instance = Instance(
        profile=profile, home=home, outside=dict(os.environ), credentials=Credentials(home / "secrets.json")
    )
    if len(os.fsencode(instance.socket)) > LONGEST_SOCKET_PATH:
        raise SetupError(f"{ROOT} is too deep a path for Unix sockets. Move the tree to a shorter one.")
    instance.folder("log")
    return instance


def _home(profile: Profile) -> Path:
    if not RUN.exists() and not accounts.can_enter(ROOT):
        _place_elsewhere()
    RUN.mkdir(exist_ok=True)
    return RUN.resolve() / profile.name


def _place_elsewhere() -> None:
    """PostgreSQL's user cannot enter this tree, so .run becomes a link to a folder that it can enter."""
    target = Path("/var/lib/tongxiao") / hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12]
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    RUN.unlink(missing_ok=True)
    RUN.symlink_to(target)
