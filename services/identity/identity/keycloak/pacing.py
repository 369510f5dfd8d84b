"""When Keycloak is compared as a whole: each minute while that is cheap, and for a tenth of the time at most."""

import logging
import time
from collections.abc import Callable

from opentelemetry import metrics

log = logging.getLogger(__name__)

# With what a comparison then takes, drift is repaired within the minute that is promised.
EVERY_S, PROMISED_S = 50.0, 60.0
SHARE = 0.1

_taken = metrics.get_meter("identity").create_gauge(
    "tongxiao.keycloak.comparison", unit="s", description="How long comparing Keycloak as a whole took"
)


class Pace:
    """Has something done when it is due: now, then so that it takes no more than its share of the time."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._due = now, now()

    def run(self, compare: Callable[[], object]) -> bool:
        """Do it if it is due, whether it was; what fails is due again as if it had cost nothing."""
        began = self._now()
        if began < self._due:
            return False
        self._due = began + EVERY_S
        compare()
        took = self._now() - began
        self._due = began + max(EVERY_S, took / SHARE)
        _taken.set(took)
        if (latest := self._due - began + took) > PROMISED_S:
            log.warning("comparing Keycloak took %.1f s: drift is repaired within %.0f s", took, latest)
        return True
