"""The two instances a tree can hold at the same time, and the ports each takes on the loopback address."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """`whole` says whether the product itself runs, or only the servers it stands on."""

    name: str
    base: int
    whole: bool

    def port(self, offset: int) -> int:
        return self.base + offset


RUN = Profile("run", 27000, whole=True)
TEST = Profile("test", 28000, whole=False)
PROFILES = {profile.name: profile for profile in (RUN, TEST)}

GATEWAY = 0
GATEWAY_HEALTH = 1
TRACE_VIEWER = 11
POSTGRES = 32
EPMD = 69
BROKER = 72
BROKER_MANAGEMENT = 73
ERLANG_DISTRIBUTION = 74
KEYCLOAK = 80
KEYCLOAK_MANAGEMENT = 90
