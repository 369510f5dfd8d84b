"""Turns the topology into programs: every process of every service, and the gateway."""

from functools import partial

from deploy.local import accounts, databases, probes, signing_key
from deploy.local.bootstrap import stamps
from deploy.local.instance import Instance
from deploy.local.parts import keycloak, rabbitmq
from deploy.local.paths import PYTHON, ROOT
from deploy.local.profiles import GATEWAY, GATEWAY_HEALTH, TRACE_VIEWER
from deploy.local.programs import Program
from deploy.local.topology import SERVICES, Service

SHARED_SOURCES = ("chassis", "protos")


def migrations(instance: Instance, services: tuple[Service, ...]) -> tuple[Program, ...]:
    return tuple(_migration(instance, service) for service in services)


def of_services(instance: Instance, services: tuple[Service, ...]) -> tuple[Program, ...]:
    return tuple(_process(instance, service, kind) for service in services for kind in service.kinds)


def gateway(instance: Instance) -> Program:
    health = instance.port(GATEWAY_HEALTH)
    environment = {
        **_common(instance, "gateway", health),
        **keycloak.reader_addresses(instance),
        "TONGXIAO_LISTEN": f"127.0.0.1:{instance.port(GATEWAY)}",
    }
    ports = (health, instance.port(GATEWAY))
    return _program(instance, "gateway", ("gateway", "serve"), environment=environment, ports=ports)


def targets(instance: Instance) -> dict[str, str]:
    """Where each service's gRPC server listens."""
    return {f"TONGXIAO_{s.name.upper()}_TARGET": f"127.0.0.1:{instance.port(s.offset)}" for s in SERVICES}


def _migration(instance: Instance, service: Service) -> Program:
    environment = _service_environment(instance, service, "migrate", health=0)
    module = (service.name, "migrate")
    return _program(instance, f"{service.name}-migrate", module, environment=environment, ports=())


def _process(instance: Instance, service: Service, kind: str) -> Program:
    health = instance.port(service.offset + 1 + service.kinds.index(kind))
    environment = _service_environment(instance, service, kind, health=health)
    ports = (health, instance.port(service.offset)) if kind == "serve" else (health,)
    return _program(instance, f"{service.name}-{kind}", (service.name, kind), environment=environment, ports=ports)


def _service_environment(instance: Instance, service: Service, kind: str, *, health: int) -> dict[str, str]:
    return {
        **_common(instance, service.name, health),
        **(keycloak.writer_addresses(instance) if service.writes_keycloak else {}),
        **(_signing(instance) if service.signs_passports and kind == "serve" else {}),
        **(_personal(instance) if service.keeps_persons and kind in ("serve", "jobs") else {}),
        # psycopg's default wait would block every green thread of a worker for the length of a query.
        **({"PSYCOPG_WAIT_FUNC": "wait_selector"} if kind == "work" else {}),
        **({"TONGXIAO_LISTEN": f"127.0.0.1:{instance.port(service.offset)}"} if kind == "serve" else {}),
        "TONGXIAO_DATABASE_URL": databases.url(instance, service, kind=kind),
    }


def _signing(instance: Instance) -> dict[str, str]:
    key = signing_key.ensure(instance)
    return {"TONGXIAO_SIGNING_KEY_FILE": str(key), "TONGXIAO_SIGNING_KEY_DIR": str(key.parent)}


def _personal(instance: Instance) -> dict[str, str]:
    """What contacts' keys are wrapped with: made once per instance, told to no other process."""
    return {"TONGXIAO_PERSONAL_KEY": instance.credentials.secret("personal-key")}


def verifying(instance: Instance, service: Service) -> dict[str, str]:
    """The variables of the process that verifies a service's audit trail."""
    return _service_environment(instance, service, "verify-audit", health=0)


def _common(instance: Instance, name: str, health: int) -> dict[str, str]:
    return {
        **targets(instance),
        **telemetry(instance, name),
        rabbitmq.VARIABLE: rabbitmq.addresses(instance)[rabbitmq.VARIABLE],
        "TONGXIAO_ENVIRONMENT": "local",
        "TONGXIAO_HEALTH_LISTEN": f"127.0.0.1:{health}",
        "TONGXIAO_SERVICE_TOKEN": instance.credentials.secret("service-token"),
        "TONGXIAO_FILES_URL": f"file://{instance.folder('files')}",
        "TONGXIAO_SOURCES": _fingerprint(name),
        "PYTHONUNBUFFERED": "1",
        # The servers' user may not write into the tree, and would compile every import anew at every start.
        "PYTHONPYCACHEPREFIX": f"{instance.home}/work/bytecode",
        "LC_ALL": "C.UTF-8",
        "HOME": str(instance.folder("work")),
    }


def telemetry(instance: Instance, name: str) -> dict[str, str]:
    """Spans go to the trace viewer; while it is not there they are dropped."""
    return {
        "OTEL_SERVICE_NAME": name,
        "OTEL_TRACES_EXPORTER": "zipkin",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"http://127.0.0.1:{instance.port(TRACE_VIEWER)}/api/v2/spans",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }


def _program(
    instance: Instance, name: str, arguments: tuple[str, str], *, environment: dict[str, str], ports: tuple[int, ...]
) -> Program:
    """Its health page is on the first port; what listens nowhere runs once."""
    work, files = instance.folder("work"), instance.folder("files")
    accounts.own(work, files, server=False)
    return Program(
        name=name,
        command=(*accounts.prefix(server=False), str(PYTHON), "-m", *arguments),
        directory=work,
        environment=environment,
        ports=ports,
        healthy=partial(probes.http, f"http://127.0.0.1:{ports[0]}/health") if ports else None,
        once=not ports,
    )


def _fingerprint(name: str) -> str:
    """Changes with the code, and so makes the supervisor start anew what an edit concerns."""
    folders = [ROOT / "services" / name, ROOT / name, *(ROOT / shared for shared in SHARED_SOURCES)]
    return stamps.fingerprint(path for folder in folders for path in folder.rglob("*.py"))[:16]
