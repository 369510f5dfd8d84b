"""`tick`: a method that runs every so often, on one of a service's workers at a time."""

import logging
from collections.abc import Callable
from typing import Any

from nameko.timer import Timer
from sqlalchemy import Engine

from chassis.handling import describe
from chassis.messaging.state import state_of

log = logging.getLogger(__name__)

Method = Callable[[Any, Engine], None]


def tick(*, every_s: float, eager: bool = False) -> Callable[[Method], Method]:
    """Have a method(engine) run every so many seconds on the leading worker; `eager`: also at once.

    It opens its own transactions. What it raises is logged, and the next tick comes all the same.
    """
    decorated: Callable[[Method], Method] = Tick.decorator(every_s, eager=eager)
    return decorated


class Tick(Timer):  # type: ignore[misc]
    """A timer that passes over its ticks while another worker leads."""

    def handle_timer_tick(self) -> None:
        state = state_of(self.container)
        if state.stopping or not state.leadership.held():
            self.worker_complete.send()
            return
        self.container.spawn_worker(self, (state.engine,), {}, handle_result=self.handle_result)

    def handle_result(self, _worker_ctx: Any, result: Any, exc_info: Any) -> Any:
        state_of(self.container).progress()
        if exc_info is not None:
            log.error("tick %s failed: %s", self.method_name, describe(exc_info[1]))
        self.worker_complete.send()
        return result, None
