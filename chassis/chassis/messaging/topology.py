"""Queues and exchanges of a consumer. Arguments of a queue never change under its name: the broker would refuse it.

<source>.events ──<type>──────► <consumer>.<source>.<type>         ┐ failed: copy to <consumer>.retry.<ms>ms,
                └─<type>.bulk─► <consumer>.<source>.<type>.bulk    ┘ back by its queue's name when the time is up
                                   │ crashed its workers too often, or failed for good
                                   ▼
                                <consumer>.parked
"""

from collections.abc import Sequence
from typing import Any

from kombu import Exchange, Queue

from chassis.handling import consumer_name

QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}
SAFE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


def queue_name(consumer: str, source: str, kind: str, *, bulk: bool = False) -> str:
    return consumer_name(consumer, source, kind) + (".bulk" if bulk else "")


def parked_name(consumer: str) -> str:
    """The queue, and the exchange before it."""
    return f"{consumer}.parked"


def retry_name(consumer: str, delay_s: float) -> str:
    """The queue, and the exchange before it, where an event waits this long."""
    return f"{consumer}.retry.{int(delay_s * 1000)}ms"


def events(consumer: str, source: str, kind: str, *, bulk: bool, delivery_limit: int) -> Queue:
    return Queue(
        queue_name(consumer, source, kind, bulk=bulk),
        Exchange(f"{source}.events", "topic", durable=True),
        routing_key=f"{kind}.bulk" if bulk else kind,
        durable=True,
        queue_arguments={
            **QUORUM,
            **SAFE,
            "x-delivery-limit": delivery_limit,
            "x-dead-letter-exchange": parked_name(consumer),
        },
    )


def shared(consumer: str, delays: Sequence[float]) -> list[Queue]:
    """The queues all of a consumer's handlers share: one for parking, one for each delay."""
    return [_fanned(parked_name(consumer), QUORUM), *(_retry(consumer, delay) for delay in delays)]


def _retry(consumer: str, delay_s: float) -> Queue:
    arguments = {**QUORUM, **SAFE, "x-message-ttl": int(delay_s * 1000), "x-dead-letter-exchange": ""}
    return _fanned(retry_name(consumer, delay_s), arguments)


def _fanned(name: str, arguments: dict[str, Any]) -> Queue:
    return Queue(name, Exchange(name, "fanout", durable=True), durable=True, queue_arguments=arguments)
