"""Anchors: a service tells the head of its audit chain, and another keeps it where the first cannot change it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock, outbox, seals
from chassis.audit_schema import audit_anchors
from chassis.envelope import Envelope
from chassis.rpc import Api
from chassis.seals import Head
from tongxiao.common.v1 import audit_pb2 as pb

log = logging.getLogger(__name__)

SEALED = "audit.sealed.v1"
PUBLISH = "INSERT INTO outbox (event_id, type, envelope, headers) VALUES (%s, %s, %s, %s)"
_EXEMPT = {"reach": "anchors of audit chains"}


@dataclass
class Telling:
    """Tells the head of a service's chain when it has moved; into the log, too, which is shipped elsewhere."""

    service: str
    _told: int = 0

    def tell(self, connection: psycopg.Connection) -> None:
        head = seals.head(connection)
        if head is None or head.seq == self._told:
            return
        fact = sealed(self.service, head)
        connection.execute(PUBLISH, (fact.id, fact.type, fact.encode(), Jsonb({})))
        log.info("audit sealed up to %s %s", head.seq, head.hash.hex())
        self._told = head.seq


def sealed(service: str, head: Head) -> Envelope:
    """The fact that a service's chain had this head."""
    data = pb.AuditSealed(seal=head.seq, hash=head.hash.hex(), seal_time=clock.stamp(head.sealed_at))
    return outbox.fact(service, SEALED, data, subject=service)


def keep(session: Session, event: Envelope) -> None:
    """Handle `audit.sealed.v1` of another service. A second head under a number known is kept beside the first."""
    told = event.read(pb.AuditSealed())
    row = {"service": event.source, "seq": told.seal, "hash": bytes.fromhex(told.hash)}
    row |= {"sealed_at": told.seal_time.ToDatetime(UTC)}
    session.execute(insert(audit_anchors).values(row).on_conflict_do_nothing(), execution_options=_EXEMPT)


def kept(session: Session, service: str, *, after: int, until: int) -> list[tuple[int, bytes]]:
    """What is kept of a service's chain between two seals, the latter included, in its order."""
    columns = audit_anchors.c
    wanted = select(columns.seq, columns.hash).where(columns.service == service, columns.seq > after)
    wanted = wanted.where(columns.seq <= until).order_by(columns.seq, columns.kept_at)
    return [(row.seq, bytes(row.hash)) for row in session.execute(wanted, execution_options=_EXEMPT)]


class Anchors:
    """The function behind AuditAnchorsService: other processes only, so reach does not apply."""

    def stream_anchors(self, request: pb.StreamAnchorsRequest, call: Any) -> Iterator[pb.StreamAnchorsResponse]:
        """All that is kept of a service's chain, in its order."""
        columns = audit_anchors.c
        wanted = select(columns.seq, columns.hash, columns.sealed_at).where(columns.service == request.service)
        wanted = wanted.order_by(columns.seq, columns.kept_at)
        for row in call.session.execute(wanted, execution_options={**_EXEMPT, "yield_per": 1000}):
            yield pb.StreamAnchorsResponse(seal=row.seq, hash=row.hash, seal_time=clock.stamp(row.sealed_at))


def api() -> Api:
    """What every service adds to its APIs, to say what it keeps of others' chains."""
    module: Any = Anchors()
    return Api(pb.DESCRIPTOR.services_by_name["AuditAnchorsService"], module)
