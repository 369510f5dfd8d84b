"""The probe serves nothing but its snapshots."""

from collections.abc import Sequence

from chassis.rpc import Api
from probe.settings import Settings


def apis(_settings: Settings) -> Sequence[Api]:
    return ()
