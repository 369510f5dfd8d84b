"""The two instances a tree can hold at the same time, and the ports each takes on the loopback address."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """`whole` says whether the product itself runs, or only the servers it stands on."""

    name: str
    base: int
    whole: bool

    def port(self, offset: int) -> int:
        return self.base + offset


BASE = int(os.environ.get("TONGXIAO_PORT_BASE") or 27000)
RUN = Profile("run", BASE, whole=True)
TEST = Profile("test", BASE + 1000, whole=False)
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
