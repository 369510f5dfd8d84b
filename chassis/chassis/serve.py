"""The `serve` process: a service's gRPC server with everything its pipeline rests on."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from joserfc.jwk import KeySet
from sqlalchemy import Engine

from chassis import anchors, channels, files, guard, health, process, revocations, server, snapshot, tokens
from chassis.call import mapped_classes
from chassis.database import connect
from chassis.passport import Verifier
from chassis.pipeline import Pipeline, Revocations
from chassis.rpc import Api, rpcs
from chassis.service import ServiceProcesses, resolve
from chassis.settings import ProcessSettings
from chassis.tree import TreeCache
from tongxiao.identity.v1 import session_pb2, session_pb2_grpc

GRACE_S = 20
# Beside one connection a thread: the tree's.
SPARE_CONNECTIONS = 2


def run(service: ServiceProcesses, settings: ProcessSettings, _arguments: Sequence[str]) -> int:
    """Serve until told to stop; calls in progress are finished first."""
    stop = process.stopping()
    url = settings.database_url.get_secret_value()
    token = settings.service_token.get_secret_value()
    recent = revocations.asking(settings.identity_target, token)
    feed = revocations.Revocations(
        settings.broker_url.get_secret_value(),
        recent,
        poll_s=settings.revocation_poll_s,
        grace_s=settings.revocation_grace_s,
    )
    with pipeline(service, settings, verifier=Verifier(keys(settings.identity_target)), feed=feed) as built:
        running, _port = server.build(built, listen=settings.listen, threads=settings.threads)
        process.spare_the_collector()
        running.start()
        feed.start()
        with health.database_check(url) as database, health.page(settings.health_listen, {"database": database}):
            stop.wait()
        running.stop(GRACE_S).wait()
        feed.stop()
    return 0


@contextmanager
def pipeline(
    service: ServiceProcesses, settings: ProcessSettings, *, verifier: Verifier, feed: Revocations
) -> Iterator[Pipeline]:
    """A service's pipeline, with an engine of its own that lets no statement past reach."""
    files.use(settings.files_url)
    token = settings.service_token.get_secret_value()
    tokens.use_secret(token)
    served = rpcs([*resolve(service.apis)(settings), *_snapshots(service), anchors.api()])
    with engine_of(service, settings, "serve") as engine:
        yield Pipeline(
            engine=engine,
            classes=mapped_classes(resolve(service.base)),
            verifier=verifier,
            trees=TreeCache(engine),
            revocations=feed,
            service_token=token,
            rpcs=served,
        )


def _snapshots(service: ServiceProcesses) -> Sequence[Api]:
    return [snapshot.api(resolve(service.snapshots))] if service.snapshots else []


@contextmanager
def engine_of(service: ServiceProcesses, settings: ProcessSettings, kind: str) -> Iterator[Engine]:
    """An engine of a kind of process that lets no statement past reach; what the service prepares is ready."""
    if service.prepare:
        resolve(service.prepare)(settings)
    engine = connect(
        settings.database_url.get_secret_value(),
        name=f"{service.name}-{kind}",
        pool_size=settings.threads + SPARE_CONNECTIONS,
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    guard.watch(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def keys(identity_target: str) -> Callable[[], KeySet]:
    """Fetches the keys that passports are verified with, from identity."""
    stub = session_pb2_grpc.SessionsServiceStub(channels.channel(identity_target))

    def fetch() -> KeySet:
        answer = stub.ListPassportKeys(session_pb2.ListPassportKeysRequest(), timeout=2)
        return KeySet.import_key_set(json.loads(answer.jwks))

    return fetch
