"""Talks to the supervisor, which starts, restarts and stops every program of an instance."""

import http.client
import os
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.local.credentials import write_private
from deploy.local.instance import Instance
from deploy.local.paths import VENV
from deploy.local.programs import Program, configuration
from deploy.local.progress import SetupError, run

ALREADY_STARTED, NOT_RUNNING = 60, 70
INHERITED = ("PATH", "TZ", "LANG")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        del host
        return _Connection(self._path)


class Supervisor:
    """One instance's supervisor, running or not. Every call has its own connection, so threads may share it."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def is_running(self) -> bool:
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def adopt(self, programs: Iterable[Program]) -> None:
        """Make the supervisor know exactly these programs. Those whose description changed are stopped first."""
        path = self._instance.home / "supervisord.conf"
        write_private(path, configuration(self._instance, programs, as_root=os.geteuid() == 0))
        if self.is_running():
            self._reload()
        else:
            self._launch(path)

    def start(self, name: str) -> None:
        self._call_unless(ALREADY_STARTED, "startProcess", name, False)

    def stop(self, name: str) -> None:
        self._call_unless(NOT_RUNNING, "stopProcess", name, True)

    def shut_down(self) -> None:
        """End it and wait for its process to be gone."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def info(self, name: str) -> dict[str, Any]:
        return dict(self._call("getProcessInfo", name))

    def all_info(self) -> list[dict[str, Any]]:
        return [dict(info) for info in self._call("getAllProcessInfo")]

    def _launch(self, path: Path) -> None:
        command = [str(VENV / "bin" / "supervisord"), "--configuration", str(path)]
        run(command, "`make stop` clears what is left of an earlier run.", environment=_clean(os.environ))
        deadline = time.monotonic() + 20
        while not self.is_running():
            if time.monotonic() > deadline:
                raise SetupError(f"The supervisor does not answer. See {self._instance.log('supervisord')}")
            time.sleep(0.05)

    def _reload(self) -> None:
        added, changed, removed = self._call("reloadConfig")[0]
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def _call_unless(self, fault: int, method: str, *arguments: Any) -> None:
        try:
            self._call(method, *arguments)
        except xmlrpc.client.Fault as error:
            if error.faultCode != fault:
                raise

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = _Transport(self._instance.socket)
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport, allow_none=True)
        with proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Programs see what is written down for them, not what a developer's shell happens to hold."""
    return {name: environment[name] for name in INHERITED if name in environment}


def follow(paths: Iterable[Path], lines: int) -> None:
    with suppress(KeyboardInterrupt):
        subprocess.run(["tail", f"--lines={lines}", "--follow=name", "--retry", *map(str, paths)], check=False)
