"""A way to a server that a test may close, open again, or have fall silent, without touching the server."""

import socket
import threading
from contextlib import AbstractContextManager, suppress


class Forwarder(AbstractContextManager["Forwarder"]):
    """Listens on a port and passes everything on; closed, it drops what is connected and refuses what comes."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._sockets: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.open()

    def open(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        _end(self._listener, *self._sockets)
        self._sockets.clear()
        self._silent.clear()

    def silence(self) -> None:
        """Pass on nothing more of what is connected now, and end nothing: half-open, as seen from both ends."""
        self._silent.update(self._sockets)

    def cut(self) -> None:
        """End the connections that are silent."""
        silent = set(self._silent)
        _end(*silent)
        self._sockets -= silent
        self._silent -= silent

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(self._target)
                except OSError:
                    # The server is away: so is the way to it.
                    near.close()
                    continue
                self._sockets.update((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if one not in self._silent:
                    other.sendall(data)
        # Whoever waits on a server that was killed must hear of it.
        _end(one, other)
        self._sockets -= {one, other}


def _end(*sockets: socket.socket) -> None:
    for found in sockets:
        with suppress(OSError):
            found.shutdown(socket.SHUT_RDWR)
        found.close()
