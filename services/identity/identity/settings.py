"""Settings of the identity service."""

from pathlib import Path

from pydantic import SecretStr

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What the processes of this service need beyond the chassis's settings."""

    keycloak_url: str
    keycloak_realm: str = "tongxiao"
    keycloak_client_id: str = "svc-identity"
    keycloak_client_secret: SecretStr
    # What access tokens must say of who issued them and whom they are for.
    issuer: str
    audience: str = "tongxiao-api"
    # RSA private keys in PEM, one a file; the last by name signs passports, all of them verify. `serve` alone needs it.
    signing_key_dir: Path | None = None
    # host:port of the service that keeps the heads of identity's audit chain; `verify-audit` alone needs it.
    customers_target: str = ""
    # The services that must say that nothing of theirs lies in a unit before it is closed; `work` listens to each.
    closing_services: tuple[str, ...] = ("customers",)
    # How long an unknown key id waits before Keycloak is asked for its keys again.
    keys_refetch_s: float = 10
