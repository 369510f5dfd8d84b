"""Installs missing Debian packages without starting, enabling or altering any of the system's own services."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local import jre
from deploy.local.bootstrap import keycloak, virtualenv
from deploy.local.progress import SetupError, run, step

# A server whose address is given from outside is not installed.
SERVERS = {"postgresql": "TONGXIAO_POSTGRES_URL", "rabbitmq-server": "TONGXIAO_BROKER_URL"}
# libatomic1: what drives the browser is linked with it.
BROWSER = ("chromium", "fonts-noto-cjk", "libatomic1")
RUNTIME = "a Java runtime"
RUNTIMES = ("openjdk-21-jre-headless", "openjdk-17-jre-headless")
UNITS = {
    "postgresql": ("postgresql.service",),
    "rabbitmq-server": ("rabbitmq-server.service", "epmd.service", "epmd.socket"),
}
POLICY = Path("/usr/sbin/policy-rc.d")
CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")


def needed(purpose: str) -> list[str]:
    """What is absent from this machine: `run` and `parts` need the servers, `test` a browser too."""
    servers = [package for package, address in SERVERS.items() if not os.environ.get(address)]
    wanted = [*servers, *(BROWSER if purpose == "test" else ())]
    missing = [package for package in wanted if not _installed(package)]
    if virtualenv.needs_package():
        missing.append("python3-venv")
    return missing + _needed_for_keycloak()


def _needed_for_keycloak() -> list[str]:
    if keycloak.is_given():
        return []
    runtime = [RUNTIME] if jre.find() is None else []
    return [*runtime, "maven"] if not keycloak.is_present() and shutil.which("mvn") is None else runtime


def ensure(missing: Sequence[str]) -> None:
    if not missing:
        return
    with step(f"installing {', '.join(missing)}"), _services_left_alone(missing):
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *map(_resolve, missing))


def _installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def _resolve(package: str) -> str:
    return _runtime() if package == RUNTIME else package


def _runtime() -> str:
    for name in RUNTIMES:
        # apt-cache show succeeds for packages that cannot be installed; madison lists only real candidates.
        if subprocess.run(["apt-cache", "madison", name], capture_output=True, check=False).stdout.strip():
            return name
    raise SetupError(
        f"This system offers none of {', '.join(RUNTIMES)}. Install a Java runtime >= {jre.OLDEST} yourself."
    )


def _apt_get(*arguments: str) -> None:
    options = ["-qq", "-o", "DPkg::Lock::Timeout=300"]
    by_hand = f"Try it by hand: {' '.join([*_as_root(), 'apt-get', *arguments])}"
    run([*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *options, *arguments], by_hand)


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise SetupError("Packages are missing and there is no sudo: run this once as root.")
    return ["sudo"]


@contextmanager
def _services_left_alone(missing: Sequence[str]) -> Iterator[None]:
    """Debian starts and enables what it installs. For the time of the installation it is told not to."""
    policy = not POLICY.exists()
    if policy:
        _write(POLICY, "#!/bin/sh\nexit 101\n", mode="755")
    if not CLUSTERS.exists():
        _write(CLUSTERS, "create_main_cluster = false\n", mode="644")
    try:
        yield
    finally:
        if policy:
            run([*_as_root(), "rm", "--force", str(POLICY)], f"Delete {POLICY} by hand.")
    _disable([unit for package in missing for unit in UNITS.get(package, ())])


def _write(path: Path, text: str, *, mode: str) -> None:
    with tempfile.NamedTemporaryFile("w") as source:
        source.write(text)
        source.flush()
        run([*_as_root(), "install", "-D", "--mode", mode, source.name, str(path)], f"Is {path} writable for root?")


def _disable(units: Sequence[str]) -> None:
    """Either tool knows only its own kind of services, and a container has only one of them."""
    for unit in units:
        for command in (["systemctl", "disable", unit], ["update-rc.d", Path(unit).stem, "disable"]):
            if shutil.which(command[0], path="/usr/sbin:/usr/bin"):
                subprocess.run([*_as_root(), *command], capture_output=True, check=False)
