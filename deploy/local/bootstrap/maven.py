"""Fetches what is published as Maven artifacts, and checks it against a pinned hash."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from deploy.local.paths import CACHE
from deploy.local.progress import SetupError, run

REPOSITORY = CACHE / "maven"
GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    group: str
    name: str
    version: str
    packaging: str
    sha256: str
    classifier: str = ""

    @property
    def coordinates(self) -> str:
        return ":".join(filter(None, [self.group, self.name, self.version, self.packaging, self.classifier]))

    @property
    def path(self) -> Path:
        suffix = f"-{self.classifier}" if self.classifier else ""
        folder = REPOSITORY / self.group.replace(".", "/") / self.name / self.version
        return folder / f"{self.name}-{self.version}{suffix}.{self.packaging}"


def fetch(artifact: Artifact) -> Path:
    """The artifact's file, downloaded if it is not there yet."""
    if not artifact.path.is_file():
        _download(artifact)
    if _sha256(artifact.path) != artifact.sha256:
        artifact.path.unlink()
        raise SetupError(f"{artifact.coordinates} is not the file it was when its hash was pinned. Start again.")
    return artifact.path


def _download(artifact: Artifact) -> None:
    options = ["--batch-mode", "--quiet", f"-Dmaven.repo.local={REPOSITORY}", "-Dtransitive=false"]
    command = ["mvn", *options, GOAL, f"-Dartifact={artifact.coordinates}"]
    run(command, "Is the Maven repository reachable? Start again to resume.")


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
