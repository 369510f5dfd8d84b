"""The process `verify-audit`: compares a service's audit trail with its seals, and the chain with what another keeps.

python -m <service> verify-audit [--without-anchors]

One line for each thing that is wrong, and exit code 1; else 0.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence

import grpc
from sqlalchemy import Connection

from chassis import channels
from chassis.database import connect
from chassis.service import ServiceProcesses
from chassis.settings import ProcessSettings
from chassis.verifying import Fault, Finding, Walk
from tongxiao.common.v1 import audit_pb2 as pb
from tongxiao.common.v1 import audit_pb2_grpc

log = logging.getLogger(__name__)

STRETCH = 100_000
# A row that was written long before its transaction was kept is sealed within seconds of that.
PATIENCE_S = 5


def run(service: ServiceProcesses, settings: ProcessSettings, arguments: Sequence[str]) -> int:
    """Verify the whole trail of a service."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-anchors", action="store_true")
    anchored = not parser.parse_args(arguments).without_anchors
    engine = connect(settings.database_url.get_secret_value(), name="verify", pool_size=1, statement_timeout_ms=0)
    wrong = 0
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for finding in findings(connection, service, settings, anchored=anchored):
            sys.stdout.write(f"{service.name}: {finding}\n")
            wrong += 1
    engine.dispose()
    return 1 if wrong else 0


def findings(
    connection: Connection, service: ServiceProcesses, settings: ProcessSettings, *, anchored: bool
) -> Iterator[Finding]:
    """Whatever is wrong with a service's trail; that there are no anchors to compare with, too."""
    walk = Walk(connection, anchors(service, settings) if anchored else ())
    while not walk.complete:
        try:
            yield from walk.stretch(most_rows=STRETCH)
        except grpc.RpcError as error:
            walk.forgo_anchors()
            code = error.code().name
            yield Finding(Fault.AUDIT_FAULT_ANCHORS_MISSING, f"{service.witness} answers {code}")
        log.info("%s rows compared, up to seal %s", walk.rows, walk.after)
    yield from _lasting(walk)


def anchors(service: ServiceProcesses, settings: ProcessSettings) -> Iterator[tuple[int, bytes]]:
    """The heads that the service's witness keeps of its chain; its address is the setting `<witness>_target`."""
    target = getattr(settings, f"{service.witness}_target", "")
    if not target:
        sys.exit(f"TONGXIAO_{service.witness.upper()}_TARGET is needed to compare with what {service.witness} keeps")
    metadata = (("tongxiao-service-token", settings.service_token.get_secret_value()),)
    with channels.channel(target) as channel:
        stub = audit_pb2_grpc.AuditAnchorsServiceStub(channel)
        for kept in stub.StreamAnchors(pb.StreamAnchorsRequest(service=service.name), metadata=metadata):
            yield kept.seal, kept.hash


def _lasting(walk: Walk) -> list[Finding]:
    """What nothing has sealed, and still has not a little later."""
    found = set(walk.unsealed())
    if not found:
        return []
    time.sleep(PATIENCE_S)
    return sorted(found & set(walk.unsealed()), key=lambda finding: finding.entry_id)
