"""The consumer's side: fills projections from their owners' snapshots while events flow.

python -m <service> backfill [TYPE…] [--after KEY]
"""

import argparse
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import grpc
from sqlalchemy import Engine

from chassis import channels, envelope
from chassis.database import connect, transaction
from chassis.envelope import Envelope
from chassis.handling import consumer_name
from chassis.inbox import handle_once
from chassis.projection import Projection
from chassis.service import ServiceProcesses, resolve
from chassis.settings import ProcessSettings
from tongxiao.common.v1 import snapshot_pb2 as pb
from tongxiao.common.v1 import snapshot_pb2_grpc

log = logging.getLogger(__name__)

BATCH = 500
TRIES = 10
REST_S = 1.0


class Owner:
    """The owner of a projection's data, over gRPC."""

    def __init__(self, target: str, token: str) -> None:
        self._stub = snapshot_pb2_grpc.SnapshotServiceStub(channels.channel(target))
        self._metadata = (("tongxiao-service-token", token),)

    def items(self, kind: str, after: str = "") -> Iterator[pb.SnapshotItem]:
        """Everything of a type after a key; goes on where it was when the owner restarts."""
        failures = 0
        while True:
            try:
                for item in self._stub.Snapshot(pb.SnapshotRequest(type=kind, after=after), metadata=self._metadata):
                    after, failures = item.key, 0
                    yield item
                return
            except grpc.RpcError as error:
                failures += 1
                if error.code() != grpc.StatusCode.UNAVAILABLE or failures == TRIES:
                    raise
                time.sleep(REST_S)

    def hashes(self, kind: str) -> dict[str, str]:
        return dict(self._stub.Hashes(pb.HashesRequest(type=kind), metadata=self._metadata, timeout=300).hashes)


def run(service: ServiceProcesses, settings: ProcessSettings, arguments: Sequence[str]) -> int:
    """The process `backfill`: fills all projections, or those of the types named."""
    asked = _parse(arguments)
    with engine_of(service, settings) as engine:
        for projection in chosen(service, asked.types):
            total = fill(engine, owner_of(projection, settings), projection, consumer=service.name, after=asked.after)
            log.info("%s filled: %s events", projection.type, total)
    return 0


def fill(engine: Engine, owner: Owner, projection: Projection, *, consumer: str, after: str = "") -> int:
    """Take over an owner's snapshot, at most 500 events a transaction; how many there were."""
    items, total = owner.items(projection.type, after), 0
    if projection.fill:
        events = [envelope.decode(item.envelope) for item in items]
        with transaction(engine) as session:
            projection.fill(session, events)
        return len(events)
    while batch := list(islice(items, BATCH)):
        _apply(engine, projection, [envelope.decode(item.envelope) for item in batch], consumer=consumer)
        total += len(batch)
        log.info("%s: %s events, up to key %s", projection.type, total, batch[-1].key)
    return total


def _apply(engine: Engine, projection: Projection, events: Sequence[Envelope], *, consumer: str) -> None:
    """A fact shares the inbox with the worker: whichever comes first has it."""
    name = consumer_name(consumer, projection.source, projection.type)
    with transaction(engine) as session:
        for event in events:
            if event.version or handle_once(session, name, event.id):
                projection.apply(session, event)


def chosen(service: ServiceProcesses, types: Sequence[str]) -> list[Projection]:
    """The projections of these types, or all; ends the process where one is not kept here."""
    declared: Sequence[Projection] = resolve(service.projections)
    unknown = set(types) - {projection.type for projection in declared}
    if unknown:
        raise SystemExit(f"{service.name} keeps no {', '.join(sorted(unknown))}")
    return [projection for projection in declared if not types or projection.type in types]


def owner_of(projection: Projection, settings: ProcessSettings) -> Owner:
    """Its address is the setting `<source>_target`."""
    target = getattr(settings, f"{projection.source}_target", "")
    if not target:
        raise SystemExit(f"TONGXIAO_{projection.source.upper()}_TARGET is needed for {projection.type}")
    return Owner(target, settings.service_token.get_secret_value())


@contextmanager
def engine_of(service: ServiceProcesses, settings: ProcessSettings) -> Iterator[Engine]:
    """One connection for filling and comparing, with the worker's rights."""
    url = settings.database_url.get_secret_value()
    engine = connect(url, name=f"{service.name}-backfill", pool_size=1, statement_timeout_ms=60_000)
    try:
        yield engine
    finally:
        engine.dispose()


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("types", nargs="*")
    parser.add_argument("--after", default="")
    return parser.parse_args(arguments)
