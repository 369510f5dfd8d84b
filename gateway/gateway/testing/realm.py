"""A Keycloak realm as far as a gateway sees one."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import orjson
from joserfc import jwt
from joserfc.jwk import RSAKey


@dataclass
class Realm:
    """Signs tokens, shows its key, and can be down."""

    key: RSAKey
    url: str = ""
    up: bool = True
    asked: list[str] = field(default_factory=list)

    def token(self, *, key: RSAKey | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        """An access token; None leaves a claim out."""
        now, signing = int(time.time()), key or self.key
        usual = {
            "iss": self.url,
            "aud": ["tongxiao-api", "account"],
            "typ": "Bearer",
            "sub": "sub-1",
            "sid": str(uuid4()),
            "iat": now,
            "exp": now + 300,
        }
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": signing.kid, "typ": "JWT"}, told, signing, algorithms=[algorithm])

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        self.asked.append(f"{method} {path}")
        if not self.up:
            return 503, {}
        if path.endswith("/certs"):
            return 200, {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}
        if path.endswith("/token"):
            return 200, {"access_token": "t", "expires_in": 300, "form": body.decode()}
        return 200, {"realm": "tongxiao"}


def _handler(realm: Realm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET", b"")

        def do_DELETE(self) -> None:
            self._serve("DELETE", b"")

        def do_POST(self) -> None:
            self._serve("POST", self.rfile.read(int(self.headers["content-length"])))

        def _serve(self, method: str, body: bytes) -> None:
            status, found = realm.answer(method, self.path, body)
            encoded = orjson.dumps(found)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(realm: Realm) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(realm))
    realm.url = f"http://127.0.0.1:{server.server_port}/realms/tongxiao"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()
