"""Copies of failed events on their way to a retry queue or to parking, confirmed before the original is acked."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import eventlet
from amqp.exceptions import AMQPError
from kombu import Connection, Producer
from kombu.exceptions import OperationalError

OPTIONS = {"confirm_publish": True}
# The sockets are green: what amqp calls read_timeout has no hold on them.
CONFIRMED_WITHIN_S = 10.0
AGAIN_S = 1.0


def raw_body(message: Any) -> bytes:
    """The bytes of a message; amqp has decoded them where the sender named an encoding."""
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


class Copies:
    """One connection for all of a worker's copies; one that fails or falls silent is dropped, and another opened."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, heartbeat=0, connect_timeout=5, transport_options=OPTIONS)
        self._lock = threading.Lock()

    def send(
        self, message: Any, *, exchange: str, queue: str, headers: dict[str, Any], while_: Callable[[], bool]
    ) -> bool:
        """Copy a message to an exchange; False where it stopped being ours before the broker confirmed."""
        while while_():
            try:
                self._publish(message, exchange=exchange, queue=queue, headers=headers)
            except (AMQPError, OperationalError, OSError):
                time.sleep(AGAIN_S)
            else:
                return True
        return False

    def _publish(self, message: Any, *, exchange: str, queue: str, headers: dict[str, Any]) -> None:
        with self._lock, self._dropped_on_failure(), eventlet.Timeout(CONFIRMED_WITHIN_S, TimeoutError):
            Producer(self._connection).publish(
                raw_body(message),
                exchange=exchange,
                routing_key=queue,
                headers=headers,
                mandatory=True,
                delivery_mode=2,
                serializer=None,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
                message_id=message.properties.get("message_id"),
                type=message.properties.get("type"),
            )

    @contextmanager
    def _dropped_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._connection.collect()
            raise
