"""A private RabbitMQ node with the management plugin, and the Erlang port mapper it registers with."""

from functools import partial
from pathlib import Path

from deploy.local import accounts, probes
from deploy.local.instance import Instance
from deploy.local.profiles import BROKER, BROKER_MANAGEMENT, EPMD, ERLANG_DISTRIBUTION
from deploy.local.programs import Program

VARIABLE = "TONGXIAO_BROKER_URL"
MANAGEMENT_VARIABLE = "TONGXIAO_BROKER_MANAGEMENT_URL"
USER = VHOST = "tongxiao"
# The wrappers on the PATH insist on Debian's own rabbitmq user.
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"

SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_vhost = {vhost}
default_user = {user}
default_pass = {password}
disk_free_limit.absolute = 200MB
log.console = true
log.file = false
"""


def addresses(instance: Instance) -> dict[str, str]:
    login = f"{USER}:{instance.credentials.secret('rabbitmq')}"
    ours = {
        VARIABLE: f"amqp://{login}@127.0.0.1:{instance.port(BROKER)}/{VHOST}",
        MANAGEMENT_VARIABLE: f"http://{login}@127.0.0.1:{instance.port(BROKER_MANAGEMENT)}",
    }
    return {name: instance.given(name) or address for name, address in ours.items()}


def programs(instance: Instance) -> tuple[Program, ...]:
    if instance.given(VARIABLE):
        return ()
    home = instance.folder("rabbitmq")
    _configure(instance, home)
    environment = _environment(instance, home)
    mapper = Program(
        name="epmd",
        command=(*accounts.prefix(server=True), "/usr/bin/epmd"),
        directory=home,
        environment=environment,
        ports=(instance.port(EPMD),),
        healthy=partial(probes.tcp, instance.port(EPMD)),
    )
    broker = Program(
        name="rabbitmq",
        command=(*accounts.prefix(server=True), SERVER),
        directory=home,
        environment=environment,
        ports=tuple(map(instance.port, (BROKER, BROKER_MANAGEMENT, ERLANG_DISTRIBUTION))),
        healthy=partial(_answers, instance),
        stop_group=True,
        patience=150,
    )
    return mapper, broker


def _answers(instance: Instance) -> bool:
    url = f"http://127.0.0.1:{instance.port(BROKER_MANAGEMENT)}/api/health/checks/virtual-hosts"
    return probes.http(url, user=USER, password=instance.credentials.secret("rabbitmq"))


def _configure(instance: Instance, home: Path) -> None:
    settings = SETTINGS.format(
        port=instance.port(BROKER),
        management=instance.port(BROKER_MANAGEMENT),
        vhost=VHOST,
        user=USER,
        password=instance.credentials.secret("rabbitmq"),
    )
    accounts.make_folders(home, *(home / name for name in ("data", "generated", "log")))
    accounts.place(home / "rabbitmq.conf", settings)
    accounts.place(home / ".erlang.cookie", instance.credentials.secret("erlang"))
    accounts.place(home / "environment.conf", "")
    accounts.place(home / "advanced.config", "[].\n")
    accounts.place(home / "enabled_plugins", "[rabbitmq_management].\n")


def _environment(instance: Instance, home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "RABBITMQ_CONF_ENV_FILE": f"{home}/environment.conf",
        "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{home}/generated",
        "RABBITMQ_NODENAME": f"tongxiao-{instance.profile.name}@localhost",
        "RABBITMQ_MNESIA_BASE": f"{home}/data",
        "RABBITMQ_PID_FILE": f"{home}/pid",
        # Without a log folder it dies on one of Debian's that it may not write, even when it logs to the console.
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_LOG_BASE": f"{home}/log",
        "ERL_CRASH_DUMP": f"{home}/log/erl_crash.dump",
        "RABBITMQ_DIST_PORT": str(instance.port(ERLANG_DISTRIBUTION)),
        "ERL_EPMD_PORT": str(instance.port(EPMD)),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # The distribution port would listen on every interface otherwise.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}",
    }
