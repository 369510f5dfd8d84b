"""Publishing to RabbitMQ in confirmed batches: pika on a thread of its own, so heartbeats never wait for a database."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pika
from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

log = logging.getLogger(__name__)

OPENING_S = 15
CONFIRMING_S = 30
CLOSING_S = 3
# The loop runs on for a moment after the connection's end: pika closes its socket in a callback.
LINGERING_S = 0.05


class BrokerLostError(Exception):
    """The connection ended or the broker no longer answers; what was not confirmed may or may not have arrived."""


@dataclass(frozen=True)
class Outgoing:
    """A message on its way, by the id of its event."""

    event_id: UUID
    routing_key: str
    body: bytes
    properties: BasicProperties


@dataclass(frozen=True)
class Outcome:
    """What became of a batch. What is in neither set the broker refused; it may be sent again."""

    confirmed: frozenset[UUID]
    unroutable: frozenset[UUID]


@dataclass
class _Batch:
    """A batch on its way. Only the connection's thread touches it until `done` is set."""

    messages: Sequence[Outgoing]
    done: threading.Event = field(default_factory=threading.Event)
    pending: dict[int, UUID] = field(default_factory=dict)
    confirmed: set[UUID] = field(default_factory=set)
    returned: set[UUID] = field(default_factory=set)

    def settle(self, tags: Iterable[int], *, accepted: bool) -> None:
        for tag in tags:
            event_id = self.pending.pop(tag)
            if accepted:
                self.confirmed.add(event_id)
        if not self.pending:
            self.done.set()


class Publisher:
    """A connection that declares a topic exchange and publishes to it, mandatory and persistent."""

    def __init__(self, url: str, *, exchange: str, name: str, heartbeat_s: int = 10) -> None:
        parameters = pika.URLParameters(url)
        parameters.heartbeat = heartbeat_s
        parameters.blocked_connection_timeout = CONFIRMING_S
        parameters.socket_timeout, parameters.stack_timeout, parameters.connection_attempts = 5, 10, 1
        parameters.client_properties = {"connection_name": name}
        self._exchange = exchange
        self._ready = threading.Event()
        self._lost: BaseException | None = None
        self._tag = 0
        self._batch: _Batch | None = None
        self._channel: Any = None
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
        )
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def open(self) -> None:
        """Connect and declare the exchange; BrokerLostError where that fails."""
        self._thread.start()
        if not self._ready.wait(OPENING_S):
            raise BrokerLostError("the broker does not answer")
        self.check()

    def check(self) -> None:
        """BrokerLostError once the connection has ended."""
        if self._lost:
            raise BrokerLostError(str(self._lost)) from self._lost

    def publish(self, messages: Sequence[Outgoing]) -> Outcome:
        """Send a batch and wait until the broker has answered for every message of it."""
        self.check()
        batch = _Batch(messages)
        self._connection.ioloop.add_callback_threadsafe(partial(self._send, batch))
        if not batch.done.wait(CONFIRMING_S):
            raise BrokerLostError("confirms do not come")
        self.check()
        return Outcome(frozenset(batch.confirmed - batch.returned), frozenset(batch.returned))

    def close(self) -> None:
        """End the connection, politely where the broker still answers."""
        if self._thread.is_alive():
            self._connection.ioloop.add_callback_threadsafe(self._leave)
            self._thread.join(CLOSING_S * 2)

    def _run(self) -> None:
        self._connection.ioloop.start()
        self._connection.ioloop.close()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._prepare)

    def _prepare(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_ended)
        channel.add_on_return_callback(self._returned)
        channel.exchange_declare(self._exchange, "topic", durable=True, callback=self._declared)

    def _declared(self, _frame: Any) -> None:
        self._channel.confirm_delivery(self._answered, callback=lambda _: self._ready.set())

    def _send(self, batch: _Batch) -> None:
        self._batch = batch
        batch.pending = {self._tag + n: message.event_id for n, message in enumerate(batch.messages, start=1)}
        try:
            for message in batch.messages:
                self._tag += 1
                self._channel.basic_publish(
                    self._exchange, message.routing_key, message.body, message.properties, mandatory=True
                )
        except AMQPError as error:
            self._channel_ended(self._channel, error)

    def _answered(self, frame: Any) -> None:
        """The broker has taken responsibility for a message, or (multiple) for all up to it; or refuses to."""
        if self._batch is None:
            return
        method = frame.method
        tags = (
            [tag for tag in self._batch.pending if tag <= method.delivery_tag]
            if method.multiple
            else [method.delivery_tag]
        )
        self._batch.settle(tags, accepted=isinstance(method, Basic.Ack))

    def _returned(self, _channel: Any, _method: Any, properties: BasicProperties, _body: bytes) -> None:
        if self._batch is not None:
            self._batch.returned.add(UUID(properties.message_id))

    def _ended(self, _connection: Any, why: BaseException) -> None:
        self._fail(why)
        self._connection.ioloop.call_later(LINGERING_S, self._connection.ioloop.stop)

    def _channel_ended(self, _channel: Any, why: BaseException) -> None:
        self._fail(why)
        self._leave()

    def _fail(self, why: BaseException) -> None:
        self._lost = self._lost or why
        self._ready.set()
        if self._batch is not None:
            self._batch.done.set()

    def _leave(self) -> None:
        """Close the connection; stop in any case, should the broker not answer."""
        self._connection.ioloop.call_later(CLOSING_S, self._connection.ioloop.stop)
        if self._connection.is_open:
            self._connection.close()
