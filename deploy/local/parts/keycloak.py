"""A private Keycloak: the shared build from the cache, with data and realm of its own."""

import json
from functools import partial
from pathlib import Path

from deploy.keycloak.realm import NAME, SERVICE_CLIENT, realm
from deploy.local import accounts, jre, probes
from deploy.local.instance import Instance
from deploy.local.parts import postgres
from deploy.local.paths import KEYCLOAK
from deploy.local.profiles import GATEWAY, POSTGRES, PROFILES
from deploy.local.profiles import KEYCLOAK as PORT
from deploy.local.profiles import KEYCLOAK_MANAGEMENT as MANAGEMENT_PORT
from deploy.local.programs import Program
from deploy.local.progress import SetupError

VARIABLE = "TONGXIAO_KEYCLOAK_URL"
ADMIN_VARIABLE = "TONGXIAO_KEYCLOAK_ADMIN"
PASSWORD_VARIABLE = "TONGXIAO_KEYCLOAK_ADMIN_PASSWORD"  # noqa: S105 — a name, no secret
SECRET_VARIABLE = "TONGXIAO_KEYCLOAK_CLIENT_SECRET"  # noqa: S105
DATABASE = ROLE = "keycloak"
START = ("start", "--optimized", "--import-realm")
SHARED = ("lib", "providers", "themes", "conf")


def reader_addresses(instance: Instance) -> dict[str, str]:
    """What a process needs to check tokens."""
    url = instance.given(VARIABLE) or f"http://localhost:{instance.port(PORT)}"
    return {VARIABLE: url, "TONGXIAO_KEYCLOAK_REALM": NAME, "TONGXIAO_ISSUER": f"{url}/realms/{NAME}"}


def writer_addresses(instance: Instance) -> dict[str, str]:
    """What the service that projects people and units needs on top."""
    client = {"TONGXIAO_KEYCLOAK_CLIENT_ID": SERVICE_CLIENT, SECRET_VARIABLE: client_secret(instance)}
    return {**reader_addresses(instance), **client}


def admin_addresses(instance: Instance) -> dict[str, str]:
    """What a test or the launcher needs to do anything at all."""
    return {
        **writer_addresses(instance),
        ADMIN_VARIABLE: instance.given(ADMIN_VARIABLE) or "admin",
        PASSWORD_VARIABLE: instance.given(PASSWORD_VARIABLE) or instance.credentials.secret("keycloak-admin"),
    }


def client_secret(instance: Instance) -> str:
    return instance.given(SECRET_VARIABLE) or instance.credentials.secret("svc-identity")


def database_password(instance: Instance) -> str:
    return instance.credentials.secret("database-keycloak")


def realm_document(instance: Instance) -> dict[str, object]:
    gateways = [f"http://{host}:{p.port(GATEWAY)}" for p in PROFILES.values() for host in ("localhost", "127.0.0.1")]
    return realm(gateways, service_secret=client_secret(instance), for_tests=not instance.profile.whole)


def programs(instance: Instance) -> tuple[Program, ...]:
    if instance.given(VARIABLE):
        return ()
    home = instance.folder("keycloak")
    _assemble(home)
    _place_realm(instance, home)
    # Where the servers' user cannot read the cache, Keycloak keeps the launcher's rights: unlike PostgreSQL it may.
    server = Program(
        name="keycloak",
        command=(*accounts.prefix(server=accounts.can_enter(KEYCLOAK)), f"{home}/bin/kc.sh", *START),
        directory=home,
        environment=_environment(instance, home),
        ports=(instance.port(PORT), instance.port(MANAGEMENT_PORT)),
        healthy=partial(probes.http, f"http://127.0.0.1:{instance.port(MANAGEMENT_PORT)}/health/ready"),
        stop_group=True,
        stop_seconds=120,  # killed while it first makes its tables, it would not start again
        patience=300,
    )
    return (server,)


def _assemble(home: Path) -> None:
    """The start script takes the folder it lies in for Keycloak's home: a copy of it makes a home of its own."""
    accounts.make_folders(home, home / "bin", home / "data", home / "data" / "import")
    script = home / "bin" / "kc.sh"
    accounts.place(script, (KEYCLOAK / "bin" / "kc.sh").read_text())
    script.chmod(0o700)
    for name in SHARED:
        link = home / name
        if not (link.is_symlink() and link.readlink() == KEYCLOAK / name):
            link.unlink(missing_ok=True)
            link.symlink_to(KEYCLOAK / name)


def _place_realm(instance: Instance, home: Path) -> None:
    """Keycloak reads the file once: a realm that exists is never changed by it."""
    document = json.dumps(realm_document(instance), ensure_ascii=False, indent=1)
    accounts.place(home / "data" / "import" / f"{NAME}-realm.json", document)


def _environment(instance: Instance, home: Path) -> dict[str, str]:
    java = jre.find()
    if java is None:
        raise SetupError(f"No Java runtime >= {jre.OLDEST} was found. Install one and start again.")
    url = f"http://localhost:{instance.port(PORT)}"
    return {
        "JAVA": java,
        "HOME": str(home),
        "KC_DB": "postgres",
        "KC_DB_URL": _database_url(instance),
        "KC_DB_USERNAME": ROLE,
        "KC_DB_PASSWORD": database_password(instance),
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": instance.credentials.secret("keycloak-admin"),
        "KC_HTTP_ENABLED": "true",
        "KC_HTTP_HOST": "127.0.0.1",
        "KC_HTTP_PORT": str(instance.port(PORT)),
        "KC_HTTP_MANAGEMENT_PORT": str(instance.port(MANAGEMENT_PORT)),
        "KC_HOSTNAME": url,
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx640m",
        # The quick compiler alone: a third less work until it is ready, which matters more here than its top speed.
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    }


def _database_url(instance: Instance) -> str:
    given = instance.given(postgres.VARIABLE)
    if given is None:
        return f"jdbc:postgresql://127.0.0.1:{instance.port(POSTGRES)}/{DATABASE}"
    return f"jdbc:postgresql://{postgres.host_and_port(given)}/{DATABASE}"
