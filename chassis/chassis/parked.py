"""Parked events: those a service could not handle, with the reason; listed, and sent back to where they failed.

python -m <service> parked list
python -m <service> parked replay [--id EVENT_ID …]
"""

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
from pika.spec import BasicProperties

from chassis.service import ServiceProcesses
from chassis.settings import ProcessSettings

# What parking and dead-lettering added: an event starts over without it.
ADDED = ("x-attempt", "x-exception", "x-traceback", "x-origin", "x-failed", "x-death", "x-first-death", "x-delivery")
REPLAYED = "x-replayed"


@dataclass(frozen=True)
class Parked:
    """An event put aside. One whose workers crashed on it has no exception: nobody lived to tell."""

    tag: int
    event_id: str
    body: bytes
    properties: BasicProperties

    @property
    def headers(self) -> dict[str, Any]:
        return self.properties.headers or {}

    @property
    def queue(self) -> str:
        """Where it failed."""
        return str(self.headers.get("x-origin-queue") or self.headers.get("x-first-death-queue"))

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.event_id,
            "type": self.properties.type,
            "queue": self.queue,
            "attempts": self.headers.get("x-attempt"),
            "reason": self.headers.get("x-exception") or self.headers.get("x-first-death-reason"),
            "failed_at": self.headers.get("x-failed-at"),
            "traceback": self.headers.get("x-traceback"),
        }


def run(service: ServiceProcesses, settings: ProcessSettings, arguments: Sequence[str]) -> int:
    """The process `parked`: prints each event as a line of JSON, or how many were sent back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["list", "replay"])
    parser.add_argument("--id", action="append", default=[])
    asked = parser.parse_args(arguments)
    url = settings.broker_url.get_secret_value()
    if asked.action == "list":
        lines = [json.dumps(event.describe(), ensure_ascii=False) for event in find(url, service.name)]
    else:
        lines = [f"{replay(url, service.name, ids=asked.id)} events sent back"]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def find(url: str, consumer: str) -> list[Parked]:
    """All that is parked; it stays where it is."""
    with _channel(url) as channel:
        return list(_parked(channel, consumer))


def replay(url: str, consumer: str, *, ids: Collection[str] = ()) -> int:
    """Send all, or the events named, back to the queues they failed in; how many. Each is confirmed, then removed."""
    with _channel(url) as channel:
        chosen = [event for event in _parked(channel, consumer) if not ids or event.event_id in ids]
        for event in chosen:
            queue = event.queue
            kept = {name: value for name, value in event.headers.items() if not name.startswith(ADDED)}
            event.properties.headers = {**kept, REPLAYED: int(kept.get(REPLAYED, 0)) + 1}
            channel.basic_publish("", queue, event.body, event.properties, mandatory=True)
            channel.basic_ack(event.tag)
        return len(chosen)


def _parked(channel: Any, consumer: str) -> Iterator[Parked]:
    """Messages are held, not removed: the broker has them back when the channel ends."""
    queue = f"{consumer}.parked"
    for _ in range(channel.queue_declare(queue, passive=True).method.message_count):
        method, properties, body = channel.basic_get(queue)
        if method is None:
            return
        yield Parked(method.delivery_tag, properties.message_id or "", body, properties)


@contextmanager
def _channel(url: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        connection.close()
