"""Settings from the environment; start-up names every missing or wrong one at once."""

import sys
from typing import TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Settings = TypeVar("Settings", bound=BaseSettings)


class ProcessSettings(BaseSettings):
    """What every process of every service takes from `TONGXIAO_…` variables."""

    model_config = SettingsConfigDict(env_prefix="TONGXIAO_", extra="ignore", frozen=True)

    environment: str = "production"
    database_url: SecretStr
    broker_url: SecretStr = SecretStr("")
    # host:port of the gRPC server (serve) and of the HTTP health page (every process).
    listen: str = "127.0.0.1:0"
    health_listen: str = ""
    identity_target: str = ""
    # Proves one Tongxiao process to another (backfill, reconcile, missed revocations).
    service_token: SecretStr = SecretStr("")
    # Threads of the gRPC server, and as many database connections.
    threads: int = 8
    # Concurrent handlers of a worker, and as many database connections.
    max_workers: int = 10
    statement_timeout_ms: int = 10_000
    # Delays before a failed event is handled again; after the last it is parked.
    retry_delays_s: tuple[float, ...] = (1, 5, 25, 125)
    # Workers that may die handling an event before it is parked. Changing it takes new queues.
    delivery_limit: int = 20
    # A worker that handles nothing for so long although events wait ends itself.
    watchdog_s: float = 30
    # A broker that is silent for twice as long is taken for gone.
    heartbeat_s: int = 10
    # How long the relay leaves an event that no queue is bound for before it tries again.
    unroutable_retry_s: float = 60
    # Where files lie: a folder of this machine (file:///…) or a bucket (s3://…).
    files_url: str = ""
    # How often long work is looked for when there was none, and how long it rests after a failure.
    job_poll_s: float = 0.5
    job_retry_s: float = 5
    # How often the relay's leader seals the audit trail, and tells the chain's head if it has moved.
    seal_every_s: float = 1
    anchor_every_s: float = 5
    revocation_poll_s: float = 5
    revocation_grace_s: float = 60


def load(kind: type[Settings]) -> Settings:
    """The settings of this process; ends it with the full list of what is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        lines = [f"  {prefix}{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        sys.exit("Settings are missing or wrong:\n" + "\n".join(lines))
