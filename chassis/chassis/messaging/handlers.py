"""`event_handler`: a method that handles one type of event of one service, once, in one transaction."""

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, register_entrypoint

from chassis import telemetry
from chassis.envelope import Envelope
from chassis.handling import Delivery, Verdict, describe, failure_headers, handle, verdict
from chassis.messaging import topology
from chassis.messaging.consumer import ReliableQueueConsumer
from chassis.messaging.copies import raw_body
from chassis.messaging.state import WorkerState, state_of

log = logging.getLogger(__name__)

# An event that seems to break the database itself counts as failed after this many pauses.
PAUSES = 10
Method = Callable[[Any, Any, Envelope], None]


def event_handler(source: str, kind: str) -> Callable[[Method], Callable[..., None]]:
    """Have a method(session, event) handle the events `kind` of the service `source`, people's and bulk ones apart.

    It runs in a transaction whose first statement is the inbox's: it takes effect once, whatever is delivered twice.
    What it raises is tried again after the settings' delays and then parked; a refusal that time cannot cure is
    parked at once; while the database is away nothing is handled and nothing counts as failed.
    """

    def decorate(method: Method) -> Callable[..., None]:
        @wraps(method)
        def handler(self: Any, engine: Any, delivery: Delivery, *, consumer: str) -> None:
            handle(engine, delivery, consumer=consumer, handler=partial(method, self))

        for bulk in (False, True):
            register_entrypoint(handler, EventHandler(source, kind, bulk=bulk))
        return handler

    return decorate


class EventHandler(Entrypoint):  # type: ignore[misc]
    """One queue of one handler."""

    consumer = ReliableQueueConsumer()

    def __init__(self, source: str, kind: str, *, bulk: bool) -> None:
        self.source, self.kind, self.is_bulk = source, kind, bulk
        super().__init__()

    @property
    def state(self) -> WorkerState:
        return state_of(self.container)

    def setup(self) -> None:
        name = self.container.service_name
        limit = self.state.settings.delivery_limit
        self.queue = topology.events(name, self.source, self.kind, bulk=self.is_bulk, delivery_limit=limit)
        self.inbox_key = topology.queue_name(name, self.source, self.kind)
        self.consumer.register_provider(self)

    def stop(self) -> None:
        self.consumer.unregister_provider(self)

    def receive(self, message: Any, pauses: int = 0) -> None:
        """Handle a message as soon as the database answers and, if bulk, a place is free."""
        if self.is_bulk:
            self.state.bulk.acquire()
        self.state.await_database()
        if self.state.stopping or not self.consumer.holds(message):
            self._finish(message)
            return
        delivery = Delivery(raw_body(message), dict(message.headers or {}))
        settle = partial(self._settle, message, delivery, pauses)
        arguments = {"consumer": self.inbox_key}
        try:
            self.container.spawn_worker(self, (self.state.engine, delivery), arguments, handle_result=settle)
        except ContainerBeingKilled:
            self._finish(message)

    def _settle(self, message: Any, delivery: Delivery, pauses: int, _ctx: Any, result: Any, exc_info: Any) -> Any:
        """Acknowledge, send round again, park or wait: nameko asks this of the green thread that ran the method."""
        self.state.progress()
        if exc_info is None:
            self.consumer.acknowledge(message)
            self._finish(message)
        else:
            self._failed(message, delivery, pauses, exc_info[1])
        return result, None

    def _failed(self, message: Any, delivery: Delivery, pauses: int, error: BaseException) -> None:
        delays = self.state.settings.retry_delays_s
        decision = verdict(error, attempt=delivery.attempt, delays=delays)
        if decision is Verdict.PAUSE and pauses < PAUSES:
            self.state.pause(describe(error))
            self._free()
            self.container.spawn_managed_thread(partial(self.receive, message, pauses + 1), identifier="receive")
            return
        parks = decision is Verdict.PARK or delivery.attempt >= len(delays)
        name = self.container.service_name
        exchange = topology.parked_name(name) if parks else topology.retry_name(name, delays[delivery.attempt])
        self._send_on(message, delivery, exchange, error)
        self._finish(message)
        self._tell(message, delivery, error, parks=parks)

    def _send_on(self, message: Any, delivery: Delivery, exchange: str, error: BaseException) -> None:
        headers = failure_headers(error, delivery, queue=self.queue.name)
        ours = partial(self.consumer.holds, message)
        if self.state.copies.send(message, exchange=exchange, queue=self.queue.name, headers=headers, while_=ours):
            self.consumer.acknowledge(message)

    def _tell(self, message: Any, delivery: Delivery, error: BaseException, *, parks: bool) -> None:
        (telemetry.parked if parks else telemetry.retried).add(1, {"queue": self.queue.name})
        event_id = message.properties.get("message_id")
        facts = {"event_id": event_id, "queue": self.queue.name, "attempt": delivery.attempt + 1}
        log.error("event parked" if parks else "event failed", extra={**facts, "error": describe(error)})

    def _finish(self, message: Any) -> None:
        self.consumer.release(message)
        self._free()

    def _free(self) -> None:
        if self.is_bulk:
            self.state.bulk.release()
