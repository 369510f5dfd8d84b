"""The process `work`: runs a service's nameko class without nameko's command line, and ends it gracefully."""

import logging
import signal
from collections.abc import Sequence
from typing import Any

import eventlet
from nameko.runners import ServiceRunner

from chassis import green, health, inbox, process
from chassis.database import connect, transaction
from chassis.messaging import watchdog
from chassis.messaging.handlers import EventHandler
from chassis.messaging.state import KEY, WorkerState
from chassis.messaging.ticks import tick
from chassis.service import ServiceProcesses, resolve
from chassis.settings import ProcessSettings

log = logging.getLogger(__name__)

GRACE_S = 28


class Housekeeping:
    """What every worker does besides."""

    name = "housekeeping"

    @tick(every_s=600)
    def forget_inbox(self, engine: Any) -> None:
        deleted = inbox.BATCH
        while deleted == inbox.BATCH:
            with transaction(engine) as session:
                deleted = inbox.forget(session)


def run(service: ServiceProcesses, settings: ProcessSettings, _arguments: Sequence[str]) -> int:
    """Handle events and ticks until told to stop; then finish and acknowledge what is running, within 30 seconds."""
    green.assert_patched()
    url = settings.database_url.get_secret_value()
    limit = settings.statement_timeout_ms
    engine = connect(url, name=f"{service.name}-worker", pool_size=settings.max_workers, statement_timeout_ms=limit)
    state = WorkerState(engine, settings)
    runner = ServiceRunner(_configuration(state))
    runner.add_service(resolve(service.worker))
    runner.add_service(Housekeeping)
    _stop_on_signal(runner, state)
    with health.database_check(url) as database:
        with health.page(settings.health_listen, {"database": database, "broker": state.broker_check}):
            runner.start()
            watchdog.start(state, _queues(runner))
            process.spare_the_collector()
            log.info("worker runs")
            runner.wait()
    return 0


def _configuration(state: WorkerState) -> dict[str, Any]:
    return {
        "AMQP_URI": state.settings.broker_url.get_secret_value(),
        "HEARTBEAT": state.settings.heartbeat_s,
        "max_workers": state.settings.max_workers,
        KEY: state,
    }


def _queues(runner: Any) -> list[str]:
    """The queues this process consumes; two methods may not share one, or each would get half of the events."""
    handlers = [e for c in runner.containers for e in c.entrypoints if isinstance(e, EventHandler)]
    names = [handler.queue.name for handler in handlers]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise TypeError(f"two methods handle the same events: {sorted(doubled)}")
    return names


def _stop_on_signal(runner: Any, state: WorkerState) -> None:
    def stop() -> None:
        connected = state.connected
        state.stop()
        with eventlet.Timeout(GRACE_S, False):
            if connected:
                runner.stop()
                return
        runner.kill()

    def asked(*_: Any) -> None:
        if not state.stopping:
            eventlet.spawn_n(stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
