"""The keys that passports are signed with: a folder of private keys. A new file is a new key; old ones still verify."""

import json
import threading
import time
from pathlib import Path

from joserfc.jwk import RSAKey

CHECK_S = 5
# A new key is shown for so long before it signs, so that every process serves it by then.
SETTLE_S = 30


class SigningKeys:
    """The keys in a folder, each named like its file without `.pem`; the last by name signs, once it has settled."""

    def __init__(self, folder: Path, *, settle_s: float = SETTLE_S, check_s: float = CHECK_S) -> None:
        self._folder, self._settle_s, self._check_s = folder, settle_s, check_s
        self._keys: dict[str, RSAKey] = {}
        self._seen: dict[str, float] = {}
        self._checked = float("-inf")
        self._lock = threading.Lock()
        self._look(first=True)
        if not self._keys:
            raise ValueError("TONGXIAO_SIGNING_KEY_DIR holds no key: a file <name>.pem with an RSA private key")

    def newest(self) -> RSAKey:
        """The key to sign with."""
        keys, now = self._current(), time.monotonic()
        settled = [name for name in keys if now - self._seen[name] >= self._settle_s]
        return keys[max(settled or keys)]

    def public(self) -> str:
        """All keys' public halves, as a JWK Set in JSON."""
        keys = [key.as_dict(private=False) for _, key in sorted(self._current().items())]
        return json.dumps({"keys": keys})

    def _current(self) -> dict[str, RSAKey]:
        with self._lock:
            if time.monotonic() - self._checked > self._check_s:
                self._look(first=False)
        return self._keys

    def _look(self, *, first: bool) -> None:
        found = {path.stem: path for path in sorted(self._folder.glob("*.pem"))}
        kept = {name: key for name, key in self._keys.items() if name in found}
        self._keys = kept | {name: _read(path) for name, path in found.items() if name not in kept}
        since = float("-inf") if first else time.monotonic()
        self._seen = {name: self._seen.get(name, since) for name in self._keys}
        self._checked = time.monotonic()


def _read(path: Path) -> RSAKey:
    return RSAKey.import_key(path.read_bytes(), {"kid": path.stem, "use": "sig", "alg": "RS256"})
