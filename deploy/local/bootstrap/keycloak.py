"""Unpacks Keycloak into the cache and builds it once for PostgreSQL; every instance shares the result."""

import os
import shutil
import zipfile

from deploy.local import jre
from deploy.local.bootstrap import maven
from deploy.local.paths import CACHE, KEYCLOAK, KEYCLOAK_VERSION
from deploy.local.progress import SetupError, run, step

DISTRIBUTION = maven.Artifact(
    group="org.keycloak",
    name="keycloak-quarkus-dist",
    version=KEYCLOAK_VERSION,
    packaging="zip",
    sha256="a286e98b4296d4e75ee88d8527c7cd463b307caa022f088c9f22cffccc741fa1",
)
BUILT = KEYCLOAK / ".built"
OPTIONS = ("--db=postgres", "--health-enabled=true", "--metrics-enabled=true", "--cache=local")


def is_given() -> bool:
    return bool(os.environ.get("TONGXIAO_KEYCLOAK_URL"))


def is_present() -> bool:
    return BUILT.exists()


def ensure() -> None:
    if is_given() or is_present():
        return
    with step(f"fetching Keycloak {KEYCLOAK_VERSION} (177 MB)"):
        archive = maven.fetch(DISTRIBUTION)
    with step("building Keycloak for PostgreSQL"):
        shutil.rmtree(KEYCLOAK, ignore_errors=True)
        with zipfile.ZipFile(archive) as bundle:
            bundle.extractall(CACHE)
        script = KEYCLOAK / "bin" / "kc.sh"
        script.chmod(0o755)
        run([str(script), "build", *OPTIONS], "Start again; `rm -r .cache` starts from scratch.", environment=_java())
        BUILT.touch()


def _java() -> dict[str, str]:
    java = jre.find()
    if java is None:
        raise SetupError(f"No Java runtime >= {jre.OLDEST} was found. Install one and start again.")
    return {**os.environ, "JAVA": java}
