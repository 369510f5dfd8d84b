"""Events on their way: the relay beside raw pika batches, and how long an event takes from its commit to its effect."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import pika
from google.protobuf.struct_pb2 import Struct
from pika.spec import BasicProperties

from bench.filling import drop
from bench.table import Section, table
from chassis import outbox
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.ids import new_id
from chassis.testing.broker import virtual_host
from chassis.testing.databases import Databases
from chassis.testing.environment import find
from chassis.testing.polling import eventually
from probe import notes
from probe.testing import Probe

ROUNDS, EVENTS, BATCH = 5, 5000, 500
RATE, SECONDS, BULK = 100, 10, 10_000
TITLE = "Events"
TOLD = (
    f"{EVENTS:,} events of one transaction in batches of {BATCH} into a quorum queue, confirmed, {ROUNDS} rounds by "
    "turns; then from an event's insert to its handler's, relay and worker being a process each."
)
TOOK = """
SELECT 1000 * percentile_cont(:share) WITHIN GROUP (ORDER BY extract(epoch FROM handled_at - created_at))
FROM outbox JOIN inbox USING (event_id) WHERE lane = 0 AND created_at >= :since
"""
WAITING = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
HANDLED = "SELECT count(*) FROM outbox JOIN inbox USING (event_id) WHERE created_at >= :since"


def measure() -> Section:
    databases = Databases(find().postgres_url, slot="bench")
    with virtual_host(find(), "bench") as url:
        probe = Probe(databases.fresh("probe"), url)
        try:
            rows = [_throughput(probe), *_latencies(probe)]
        finally:
            drop(probe.database)
    return Section(TITLE, TOLD, table(["what", "asked", "measured"], rows))


def _throughput(probe: Probe) -> tuple[str, ...]:
    with probe.run("relay"), _queue(probe):
        pairs = [(_relayed(probe), _raw(probe)) for _ in range(ROUNDS + 1)][1:]
    ratios = sorted(relayed / raw for relayed, raw in pairs)
    print(f"  relay/raw: {', '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)
    told = f"{median(ratios):.0%} ({median(r for r, _ in pairs):,.0f}/s of {median(r for _, r in pairs):,.0f}/s)"
    return "relay beside raw pika batches", "≥ 20 %, aim 40 %", told


def _relayed(probe: Probe) -> float:
    """Events a second, from the commit that holds them all to the last one's mark."""
    _publish(probe, EVENTS)
    began = time.time()
    eventually(lambda: probe.value(WAITING) == 0, 60)
    ended = float(probe.value("SELECT extract(epoch FROM max(published_at)) FROM outbox"))
    return EVENTS / (ended - began)


def _latencies(probe: Probe) -> Iterator[tuple[str, ...]]:
    with probe.run("relay"), probe.run("work"):
        since = _now(probe)
        _steadily(probe, lambda sent: sent >= RATE * SECONDS)
        eventually(lambda: probe.value(HANDLED, since=since) >= RATE * SECONDS, 30)
        p50, p99 = (probe.value(TOOK, share=share, since=since) for share in (0.5, 0.99))
        yield f"insert → effect at {RATE} events/s", "p99 < 250 ms", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"
        since = _now(probe)
        bulk = threading.Thread(target=_publish, args=(probe, BULK), kwargs={"lane": outbox.BULK})
        bulk.start()
        began = time.monotonic()
        _steadily(probe, lambda _: not bulk.is_alive() and probe.value(HANDLED, since=since) >= BULK, rate=20)
        took = time.monotonic() - began
        longest = probe.value(TOOK, share=1.0, since=since)
        yield (
            f"people's events while {BULK:,} bulk ones drain",
            "< 5 s",
            f"longest {longest:.0f} ms, {took:.0f} s to drain",
        )


def _steadily(probe: Probe, enough: Any, *, rate: int = RATE) -> None:
    """People's events at an even rate, until it is enough."""
    began, sent = time.monotonic(), 0
    while not enough(sent):
        _publish(probe, 1)
        sent += 1
        time.sleep(max(0.0, began + sent / rate - time.monotonic()))


def _publish(probe: Probe, count: int, *, lane: int = 0) -> None:
    with transaction(probe.database.engine("api")) as session:
        outbox.publish(session, *(_event() for _ in range(count)), lane=lane)


def _event() -> Envelope:
    data = Struct()
    data.update({"text": "谈了价格与交期,对方下周答复。" * 10})
    return outbox.fact("probe", notes.WRITTEN, data, subject=new_id())


def _now(probe: Probe) -> Any:
    return probe.value("SELECT clock_timestamp()")


@contextmanager
def _queue(probe: Probe) -> Iterator[None]:
    """A queue for what both sides publish."""
    with probe.channel() as channel:
        channel.exchange_declare("probe.events", "topic", durable=True)
        channel.queue_declare("bench", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind("bench", "probe.events", "note.written.v1")
        yield
        channel.queue_delete("bench")


def _raw(probe: Probe) -> float:
    """Events a second by pika alone: persistent, mandatory, confirmed, in batches as large."""
    body, properties = _event().encode(), BasicProperties(delivery_mode=2)
    state = {"sent": 0, "answered": 0, "began": 0.0, "took": 0.0}

    def send() -> None:
        for _ in range(BATCH):
            channel[0].basic_publish("probe.events", notes.WRITTEN, body, properties, mandatory=True)
        state["sent"] += BATCH

    def answered(frame: Any) -> None:
        tag = frame.method.delivery_tag
        state["answered"] = tag if frame.method.multiple else state["answered"] + 1
        if state["answered"] >= EVENTS:
            state["took"] = time.perf_counter() - state["began"]
            connection.close()
        elif state["answered"] >= state["sent"]:
            send()

    def ready(_frame: Any) -> None:
        state["began"] = time.perf_counter()
        send()

    channel: list[Any] = []

    def opened(found: Any) -> None:
        channel.append(found)
        found.confirm_delivery(answered, callback=ready)

    connection = pika.SelectConnection(
        pika.URLParameters(probe.broker_url),
        on_open_callback=lambda made: made.channel(on_open_callback=opened),
        on_close_callback=lambda made, _why: made.ioloop.stop(),
    )
    connection.ioloop.start()
    return EVENTS / state["took"]
