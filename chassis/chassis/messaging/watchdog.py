"""The watchdog: ends a worker that gets nothing done although there is work, so that its supervisor starts another."""

import logging
import os
import threading
import time
from collections.abc import Sequence

import eventlet
from amqp.exceptions import AMQPError
from eventlet import patcher
from kombu import Connection
from kombu.exceptions import OperationalError

from chassis.messaging.state import WorkerState

log = logging.getLogger(__name__)

STUCK = 70
ANSWERED_WITHIN_S = 5.0


def start(state: WorkerState, queues: Sequence[str]) -> None:
    """Watch from two sides: a green thread asks whether work is left lying, a real one whether green threads run."""
    pulse = [time.monotonic()]
    threading.Thread(target=_watch, args=(state, queues, pulse), name="watchdog", daemon=True).start()
    real_threading, real_time = patcher.original("threading"), patcher.original("time")
    guard = real_threading.Thread(target=_guard, args=(pulse, state.settings.watchdog_s, real_time), daemon=True)
    guard.start()


def stuck(state: WorkerState, ready: int) -> bool:
    """Whether messages lie ready while nothing of any kind was handled for too long, with no pause on purpose."""
    idle = time.monotonic() - state.progressed_at
    return ready > 0 and not state.paused and not state.stopping and idle > state.settings.watchdog_s


def _watch(state: WorkerState, queues: Sequence[str], pulse: list[float]) -> None:
    asked = time.monotonic()
    while True:
        time.sleep(min(1.0, state.settings.watchdog_s / 4))
        pulse[0] = time.monotonic()
        if pulse[0] - asked < state.settings.watchdog_s / 4:
            continue
        asked = pulse[0]
        idle = asked - state.progressed_at > state.settings.watchdog_s
        if idle and stuck(state, _ready(state, queues)):
            _end("nothing was handled for %s s although messages wait", state.settings.watchdog_s)


def _ready(state: WorkerState, queues: Sequence[str]) -> int:
    """How many messages lie ready for this worker; none where the broker cannot be asked."""
    url = state.settings.broker_url.get_secret_value()
    connection = Connection(url, connect_timeout=ANSWERED_WITHIN_S)
    try:
        with eventlet.Timeout(ANSWERED_WITHIN_S, TimeoutError):
            channel = connection.default_channel
            return sum(channel.queue_declare(queue, passive=True).message_count for queue in queues)
    except (AMQPError, OperationalError, OSError):
        return 0
    finally:
        connection.collect()


def _guard(pulse: list[float], limit_s: float, real_time: object) -> None:
    """On a thread of the operating system: a blocked hub runs no green thread, this one included otherwise."""
    sleep = getattr(real_time, "sleep")  # noqa: B009 — the unpatched module has no type
    while True:
        sleep(min(1.0, limit_s / 4))
        if time.monotonic() - pulse[0] > limit_s:
            _end("the hub was blocked for %s s", limit_s)


def _end(why: str, seconds: float) -> None:
    log.critical("worker ends itself: " + why, seconds)
    os._exit(STUCK)
