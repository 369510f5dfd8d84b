"""Asks programs whether they are well, each in its own way."""

import base64
import socket
import urllib.error
import urllib.request

SECONDS = 2


def http(url: str, *, user: str = "", password: str = "") -> bool:
    """Whether a GET answers 2xx."""
    request = urllib.request.Request(url)  # noqa: S310 — the addresses are the launcher's own
    if user:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 300
    except (OSError, urllib.error.HTTPError):
        return False


def tcp(port: int) -> bool:
    """Whether something listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except OSError:
        return False
    return True
