"""nameko's queue consumer, mended: it acks what is done, waits for what is running, and hangs on no dead peer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import eventlet
from amqp.exceptions import AMQPError
from kombu import Connection
from nameko.messaging import QueueConsumer

from chassis.messaging import topology
from chassis.messaging.state import WorkerState, state_of

log = logging.getLogger(__name__)

RECONNECT = {"interval_start": 0.2, "interval_step": 0.5, "interval_max": 3}
GONE = (AMQPError, OSError)
# Before it consumes, a connection has no heartbeat: a broker that falls silent meanwhile would never be noticed.
CONSUMES_WITHIN_S = 20.0


class ReliableQueueConsumer(QueueConsumer):  # type: ignore[misc]
    """Delivers raw messages to handlers. A message is `running` from its delivery until it is settled."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self._patience: eventlet.Timeout | None = None
        super().__init__()

    @property
    def state(self) -> WorkerState:
        return state_of(self.container)

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Any:
        """Declare everything, then consume: retry and parking queues exist before anything can fail."""
        for queue in topology.shared(self.container.service_name, self.state.settings.retry_delays_s):
            queue(channel).declare()
        self._consumers = {}
        for provider in self._providers:
            consumer = consumer_cls(queues=[provider.queue], on_message=partial(self._deliver, provider))
            consumer.qos(prefetch_count=self.prefetch_count)
            self._consumers[provider] = consumer
        return self._consumers.values()

    def _deliver(self, provider: Any, message: Any) -> None:
        self.running.add(id(message))
        self.container.spawn_managed_thread(partial(provider.receive, message), identifier="receive")

    def acknowledge(self, message: Any) -> None:
        """Tell the broker that a message is done; where the connection is gone, it will deliver it again."""
        try:
            if self.holds(message):
                message.ack()
        except GONE:
            log.warning("an acknowledgement was lost with its connection")
        finally:
            self.release(message)

    def release(self, message: Any) -> None:
        """Let go of a message unacknowledged: the broker has it back when the connection ends."""
        self.running.discard(id(message))

    def holds(self, message: Any) -> bool:
        """Whether the broker still takes this process for the message's holder."""
        return message.channel is not None and message.channel.connection is not None

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **kwargs: Any) -> None:
        if self._patience:
            self._patience.cancel()
        self.state.connected = True
        self.state.progress()
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def on_connection_error(self, exc: BaseException, interval: float) -> None:
        log.warning("no broker (%s), next try in %s s", type(exc).__name__, interval)
        if self.should_stop:
            raise exc

    def on_iteration(self) -> None:
        """The connection stays until what runs is done and acknowledged."""
        self._cancel_consumers_if_requested()
        if not self._consumers and not self.running:
            self.should_stop = True

    @contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        """A connection that is dropped, not closed politely, after an error: a frozen broker would never answer."""
        connection = self.create_connection()
        try:
            connection.ensure_connection(self.on_connection_error, self.connect_max_retries, **RECONNECT)
            self._patience = eventlet.Timeout(CONSUMES_WITHIN_S, TimeoutError)
            yield connection
        except BaseException as error:
            log.warning("broker left (%s)", type(error).__name__)
            self.state.connected = False
            connection.collect()
            raise
        else:
            self.state.connected = False
            connection.release()
        finally:
            if self._patience:
                self._patience.cancel()
