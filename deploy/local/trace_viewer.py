"""Zipkin, fetched and started behind everybody's back: a trace viewer that never delays the boot."""

import os
import shutil
import subprocess
import sys

from deploy.local import accounts, jre
from deploy.local.bootstrap import exclusive, maven
from deploy.local.instance import Instance
from deploy.local.paths import PYTHON, ROOT
from deploy.local.profiles import TRACE_VIEWER
from deploy.local.programs import MARK, Program
from deploy.local.progress import SetupError
from deploy.local.supervision import Supervisor

NAME = "trace-viewer"
SERVER = maven.Artifact(
    group="io.zipkin",
    name="zipkin-server",
    version="3.6.1",
    packaging="jar",
    classifier="exec",
    sha256="d8326e0ed4f43855dba81228f688554706e52578a7c782d9a90b73f8680654a1",
)


def program(instance: Instance) -> Program:
    server = accounts.can_enter(SERVER.path.parent)
    address = {"address": "127.0.0.1", "port": str(instance.port(TRACE_VIEWER)), "protocols[0]": "http"}
    listen = [f"--armeria.ports[0].{name}={value}" for name, value in address.items()]
    return Program(
        name=NAME,
        command=(*accounts.prefix(server=server), jre.find() or "java", "-Xmx256m", "-jar", str(SERVER.path), *listen),
        ports=(instance.port(TRACE_VIEWER),),
        directory=instance.folder("work"),
        environment={"HOME": str(instance.folder("work"))},
    )


def start_behind(instance: Instance) -> None:
    """Leave a process behind that fetches the viewer and has the supervisor start it."""
    if not SERVER.path.exists() and shutil.which("mvn") is None:
        return
    with instance.log(NAME).open("ab") as log:
        subprocess.Popen(
            [str(PYTHON), "-m", "deploy.local", "trace-viewer", instance.profile.name],
            cwd=ROOT,
            env={**os.environ, MARK: str(instance.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def fetch_and_start(instance: Instance) -> None:
    try:
        with exclusive.hold():
            maven.fetch(SERVER)
    except SetupError as error:
        sys.exit(str(error))
    Supervisor(instance).start(NAME)
