"""Which services make up the product. A new service is one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.paths import ROOT
from deploy.local.progress import say


@dataclass(frozen=True)
class Service:
    """A service and the offset of the ten ports its processes may take."""

    name: str
    offset: int
    writes_keycloak: bool = False
    signs_passports: bool = False
    keeps_persons: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("serve", "work", "jobs", "relay")

    def role(self, kind: str) -> str:
        """The database role a kind of process signs in with."""
        suffix = {"migrate": "owner", "serve": "api", "jobs": "jobs", "relay": "relay"}.get(kind, "worker")
        return f"{self.name}_{suffix}"

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{suffix}" for suffix in ("owner", "api", "jobs", "worker", "relay"))

    @property
    def runnable(self) -> bool:
        return (ROOT / "services" / self.name / self.name / "__main__.py").is_file()


SERVICES = (
    Service("identity", 100, writes_keycloak=True, signs_passports=True),
    Service("customers", 110, keeps_persons=True),
)


def present(services: Sequence[Service] = SERVICES) -> tuple[Service, ...]:
    """The services this tree holds. Those it lacks are named, and left out."""
    for service in services:
        if not service.runnable:
            say(f"  – {service.name}: no services/{service.name}/{service.name}/__main__.py yet, left out")
    return tuple(service for service in services if service.runnable)


def gateway_present() -> bool:
    if (ROOT / "gateway" / "gateway" / "__main__.py").is_file():
        return True
    say("  – gateway: no gateway/gateway/__main__.py yet, left out")
    return False
