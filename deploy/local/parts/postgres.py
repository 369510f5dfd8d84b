"""A private PostgreSQL cluster: loopback only, passwords only."""

import shutil
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from deploy.local import accounts
from deploy.local.instance import Instance
from deploy.local.profiles import POSTGRES
from deploy.local.programs import Program
from deploy.local.progress import SetupError, run, step

VARIABLE = "TONGXIAO_POSTGRES_URL"
SUPERUSER = "postgres"

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 300
shared_buffers = 256MB
log_line_prefix = '%t [%p] %u@%d '
log_lock_waits = on
timezone = 'UTC'
log_timezone = 'UTC'
"""
# What a test writes need not survive a power cut.
FAST_SETTINGS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


def addresses(instance: Instance) -> dict[str, str]:
    return {VARIABLE: instance.given(VARIABLE) or _url(instance)}


def programs(instance: Instance) -> tuple[Program, ...]:
    if instance.given(VARIABLE):
        return ()
    home = instance.folder("postgres")
    accounts.own(home)
    data = home / "data"
    if not (data / "PG_VERSION").exists():
        _create(instance, data)
    _configure(instance, data)
    server = Program(
        name="postgres",
        command=(*accounts.prefix(server=True, death_signal="INT"), str(_binaries(data) / "postgres"), "-D", str(data)),
        directory=home,
        # Named here too, so that another port makes the supervisor start it anew.
        environment={"LC_ALL": "C.UTF-8", "HOME": str(home), "PGPORT": str(instance.port(POSTGRES))},
        ports=(instance.port(POSTGRES),),
        healthy=partial(_answers, _url(instance)),
        stop_signal="INT",
    )
    return (server,)


def host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}"


def _url(instance: Instance) -> str:
    password = instance.credentials.secret("postgres")
    return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{instance.port(POSTGRES)}/postgres"


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _create(instance: Instance, data: Path) -> None:
    """Made beside its place, so that half of one is never taken for a whole one."""
    fresh, password = data.with_name("new"), data.with_name("password")
    shutil.rmtree(fresh, ignore_errors=True)
    accounts.place(password, instance.credentials.secret("postgres"))
    flags = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
    account = [f"--username={SUPERUSER}", f"--pwfile={password}"]
    initdb = [*accounts.prefix(server=True), str(_binaries(data) / "initdb"), "-D", str(fresh), *account, *flags]
    with step("creating the PostgreSQL cluster"):
        run(initdb, "`make reset` clears what is half done.")
    password.unlink()
    fresh.rename(data)


def _configure(instance: Instance, data: Path) -> None:
    settings = SETTINGS.format(port=instance.port(POSTGRES))
    accounts.place(data / "local.conf", settings if instance.profile.whole else settings + FAST_SETTINGS)
    main = data / "postgresql.conf"
    include = "include 'local.conf'\n"
    if not main.read_text().endswith(include):
        accounts.place(main, main.read_text() + include)


def _binaries(data: Path) -> Path:
    """A cluster stays with the major version that made it; a new one takes the newest."""
    made_by = data / "PG_VERSION"
    major = made_by.read_text().strip() if made_by.exists() else "*"
    found = sorted(Path("/usr/lib/postgresql").glob(f"{major}/bin"), key=lambda folder: int(folder.parent.name))
    if not found:
        raise SetupError(f"PostgreSQL {major} is not installed, but {data} was made by it. `make reset` starts afresh.")
    return found[-1]
