"""The topology becomes programs: names, ports, roles, rights."""

import configparser

import pytest

from deploy.local import databases, processes, programs
from deploy.local.instance import Instance
from deploy.local.profiles import PROFILES, RUN
from deploy.local.tests.conftest import MakeInstance
from deploy.local.topology import SERVICES, Service

SERVICE = Service("orders", 150)


@pytest.fixture
def instance(make_instance: MakeInstance) -> Instance:
    return make_instance(profile=RUN)


def section(instance: Instance, program: programs.Program) -> configparser.SectionProxy:
    text = programs.configuration(instance, [program], as_root=False)
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser[f"program:{program.name}"]


def test_every_kind_of_process_becomes_a_program(instance: Instance) -> None:
    names = [program.name for program in processes.of_services(instance, (SERVICE,))]

    assert names == ["orders-serve", "orders-work", "orders-jobs", "orders-relay"]


def test_no_two_programs_of_any_profile_share_a_port(instance: Instance) -> None:
    started = [*processes.of_services(instance, SERVICES), processes.gateway(instance)]
    ports = [port for program in started for port in program.ports]

    assert len(ports) == len(set(ports))
    assert all(RUN.base <= port < RUN.base + 1000 for port in ports)


def test_profiles_are_a_thousand_ports_apart() -> None:
    bases = sorted(profile.base for profile in PROFILES.values())

    assert bases[1] - bases[0] == 1000


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("migrate", "orders_owner"),
        ("serve", "orders_api"),
        ("work", "orders_worker"),
        ("relay", "orders_relay"),
        ("jobs", "orders_jobs"),
    ],
)
def test_each_kind_signs_in_with_its_own_role(instance: Instance, kind: str, role: str) -> None:
    url = databases.url(instance, SERVICE, kind=kind)

    assert url.startswith(f"postgresql+psycopg://{role}:")
    assert url.endswith(f"@127.0.0.1:{RUN.base + 32}/orders")


def test_a_migration_runs_once_and_is_not_restarted(instance: Instance) -> None:
    (migration,) = processes.migrations(instance, (SERVICE,))

    assert migration.once
    assert section(instance, migration)["autorestart"] == "false"


def test_only_the_writer_of_the_realm_holds_its_secret(instance: Instance) -> None:
    writer = Service("people", 160, writes_keycloak=True)
    plain, writing = processes.of_services(instance, (SERVICE,))[0], processes.of_services(instance, (writer,))[0]

    assert "TONGXIAO_KEYCLOAK_CLIENT_SECRET" in writing.environment
    assert "TONGXIAO_KEYCLOAK_CLIENT_SECRET" not in {**plain.environment, **processes.gateway(instance).environment}


def test_only_identitys_server_is_told_the_signing_key(instance: Instance) -> None:
    told = [p.name for p in processes.of_services(instance, SERVICES) if "TONGXIAO_SIGNING_KEY_FILE" in p.environment]

    assert told == ["identity-serve"]


def test_only_who_writes_contacts_is_told_what_personal_values_are_kept_with(instance: Instance) -> None:
    told = [p.name for p in processes.of_services(instance, SERVICES) if "TONGXIAO_PERSONAL_KEY" in p.environment]

    assert told == ["customers-serve", "customers-jobs"]


def test_a_trail_is_verified_with_a_workers_rights_and_its_witness(instance: Instance) -> None:
    told = processes.verifying(instance, SERVICE)

    assert "orders_worker" in told["TONGXIAO_DATABASE_URL"]
    assert {"TONGXIAO_IDENTITY_TARGET", "TONGXIAO_CUSTOMERS_TARGET", "TONGXIAO_SERVICE_TOKEN"} <= told.keys()


def test_workers_wait_for_queries_without_blocking(instance: Instance) -> None:
    waits = {p.name: p.environment.get("PSYCOPG_WAIT_FUNC") for p in processes.of_services(instance, (SERVICE,))}

    assert waits["orders-work"] == "wait_selector"
    assert waits["orders-serve"] is None
