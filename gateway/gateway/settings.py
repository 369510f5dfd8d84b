"""What the gateway takes from `TONGXIAO_…` variables."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Every address may be given from outside; nothing here is a secret but the broker's address and the token."""

    model_config = SettingsConfigDict(env_prefix="TONGXIAO_", extra="ignore", frozen=True)

    # host:port of the front door, and of the same again for probes only, where they must not come through it.
    listen: str = "127.0.0.1:8000"
    health_listen: str = ""

    # Where a service listens: host:port, or several processes of it, ipv4:host:port,host:port or dns:///name:port.
    identity_target: str
    customers_target: str
    # Connections to each: a service's processes behind one address each take some.
    channels: int = 2

    # The realm as tokens name it, and where this process finds it; the same where empty.
    issuer: str
    keycloak_url: str = ""
    audience: str = "tongxiao-api"
    client_id: str = "tongxiao-web"

    # Where uploaded files go: a folder of this machine (file:///…) or a bucket (s3://…).
    files_url: str = ""

    broker_url: SecretStr
    service_token: SecretStr
    revocation_poll_s: float = 5
    revocation_grace_s: float = 60

    # JSON list of the other origins whose pages may call this API.
    cors_origins: tuple[str, ...] = ()
    read_seconds: float = 5
    write_seconds: float = 10
    # Requests at work at once; more are refused OVERLOADED.
    concurrency: int = 256
    # Requests a person may make a minute; all at once, if they like.
    requests_per_minute: int = 3000
    shutdown_seconds: int = 15

    @property
    def realm_url(self) -> str:
        """The realm's address inside the network."""
        realm = self.issuer.rstrip("/").rsplit("/", 1)[-1]
        return f"{self.keycloak_url.rstrip('/')}/realms/{realm}" if self.keycloak_url else self.issuer

    def target(self, service: str) -> str:
        """The gRPC address of a service."""
        found: str = getattr(self, f"{service}_target")
        return found
