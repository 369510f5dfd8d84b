"""The order in which an instance comes up. Nothing waits for what it does not need."""

from collections.abc import Iterable
from dataclasses import dataclass

from deploy.local import databases, environment, probes, processes, teardown, topology, trace_viewer
from deploy.local.gates import Gate
from deploy.local.instance import Instance
from deploy.local.parts import keycloak, outside_realm, postgres, rabbitmq
from deploy.local.programs import Program
from deploy.local.progress import SetupError
from deploy.local.supervision import Supervisor
from deploy.local.topology import Service

Programs = tuple[Program, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    services: tuple[Service, ...]
    database: Programs
    broker: Programs
    sign_in: Programs
    migrations: Programs
    processes: Programs
    gateway: Programs
    viewer: Programs

    @property
    def everything(self) -> Programs:
        servers = (*self.database, *self.broker, *self.sign_in)
        return (*servers, *self.migrations, *self.processes, *self.gateway, *self.viewer)


def up(instance: Instance) -> None:
    """Start what is not running yet, in order, and return once all of it is healthy."""
    with instance.exclusive():
        plan, supervisor = _plan(instance), Supervisor(instance)
        if not supervisor.is_running():
            teardown.sweep(instance)
            _refuse_taken_ports(plan.everything)
        environment.write(instance)
        supervisor.adopt(plan.everything)
        _climb(instance, plan, Gate(instance, supervisor))


def _climb(instance: Instance, plan: Plan, gate: Gate) -> None:
    gate.start(plan.broker)
    gate.pass_all("PostgreSQL", plan.database)
    databases.ensure(instance, plan.services)
    gate.start(plan.sign_in)  # the slowest by far, and needed by nothing below
    gate.pass_all(_title("migrations", plan.services), plan.migrations)
    _await(gate, "RabbitMQ", plan.broker)
    gate.pass_all(_title("services", plan.services), plan.processes)
    gate.pass_all("gateway", plan.gateway)
    _await(gate, "Keycloak", plan.sign_in)
    outside_realm.ensure(instance)


def _refuse_taken_ports(programs: Programs) -> None:
    taken = [f"{port} ({program.name})" for program in programs for port in program.ports if probes.tcp(port)]
    if taken:
        advice = "Stop what listens there (another tree's `make stop`?), or start with TONGXIAO_PORT_BASE=30000."
        raise SetupError(f"Ports are taken: {', '.join(taken)}. {advice}")


def _await(gate: Gate, title: str, programs: Programs) -> None:
    if programs:
        gate.await_all(title, programs)


def _title(what: str, services: Iterable[Service]) -> str:
    return f"{what} ({', '.join(service.name for service in services)})"


def _plan(instance: Instance) -> Plan:
    whole = instance.profile.whole
    services = topology.present() if whole else ()
    return Plan(
        services=services,
        database=postgres.programs(instance),
        broker=rabbitmq.programs(instance),
        sign_in=keycloak.programs(instance),
        migrations=processes.migrations(instance, services),
        processes=processes.of_services(instance, services),
        gateway=(processes.gateway(instance),) if whole and topology.gateway_present() else (),
        viewer=(trace_viewer.program(instance),) if whole else (),
    )
