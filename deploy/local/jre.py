"""Finds a Java runtime that Keycloak accepts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 17


def find() -> str | None:
    """The first `java` of JAVA_HOME, the PATH or Debian's folder of runtimes that is new enough."""
    return next((java for java in _candidates() if _version(java) >= OLDEST), None)


def _candidates() -> list[str]:
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    installed = sorted(Path("/usr/lib/jvm").glob("java-*-openjdk-*/bin/java"), reverse=True)
    named = [f"{home}/bin/java"] if home else []
    return [java for java in [*named, on_path, *map(str, installed)] if java and os.access(java, os.X_OK)]


def _version(java: str) -> int:
    printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', printed)
    return int(found[1]) if found else 0
