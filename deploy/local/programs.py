"""A supervised program, and the supervisor's configuration file made of many."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.instance import Instance

MARK = "TONGXIAO_INSTANCE"
PATIENCE_SECONDS = 90

HEAD = """\
[unix_http_server]
file={home}/supervisor.sock
chmod=0700

[supervisord]
logfile={home}/log/supervisord.log
logfile_maxbytes=5MB
pidfile={home}/supervisord.pid
directory={home}
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart={restart}
startsecs={settle}
startretries=3
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
stopasgroup={stop_group}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """`healthy` is asked until it agrees; a program that runs `once` is waited for until it ends well instead."""

    name: str
    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    ports: tuple[int, ...] = ()
    healthy: Callable[[], bool] | None = None
    once: bool = False
    stop_signal: str = "TERM"
    stop_seconds: int = 30
    stop_group: bool = False
    patience: float = PATIENCE_SECONDS


def configuration(instance: Instance, programs: Iterable[Program], *, as_root: bool) -> str:
    head = HEAD.format(home=_escape(str(instance.home)), user="user=root\n" if as_root else "")
    return head + "".join(_section(instance, program) for program in programs)


def _section(instance: Instance, program: Program) -> str:
    return PROGRAM.format(
        name=program.name,
        command=_escape(shlex.join(program.command)),
        directory=_escape(str(program.directory)),
        environment=_environment({**program.environment, MARK: str(instance.home)}),
        restart="false" if program.once else "true",
        settle=0 if program.once else 2,
        stop_signal=program.stop_signal,
        stop_seconds=program.stop_seconds,
        stop_group=str(program.stop_group).lower(),
        log=_escape(str(instance.log(program.name))),
    )


def _environment(variables: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_quote(value)}"' for name, value in sorted(variables.items()))


def _quote(value: str) -> str:
    return _escape(value.replace("\\", "\\\\").replace('"', '\\"'))


def _escape(text: str) -> str:
    return text.replace("%", "%%")
