"""Random secrets of one instance: made when first asked for, kept in a file only its owner reads."""

import json
import os
import secrets
from pathlib import Path


class Credentials:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def secret(self, name: str) -> str:
        """The secret of that name, the same on every call and every start."""
        if name not in self._known:
            self._known[name] = secrets.token_hex(16)
            write_private(self._path, json.dumps(self._known, indent=2))
        return self._known[name]


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; no other user can read it at any moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(text)
    fresh.replace(path)
