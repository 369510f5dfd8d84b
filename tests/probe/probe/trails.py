"""What tests of the audit trail write, seal and tamper with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import insert

from chassis import seals
from chassis.audit_schema import audit
from chassis.ids import new_id
from chassis.testing import ServiceDatabase
from chassis.verifying import Fault, Finding, Walk


@dataclass
class Trail:
    """The probe's trail: written by its API, sealed by its relay, tampered with by a superuser."""

    database: ServiceDatabase
    relay: psycopg.Connection
    attacker: psycopg.Connection

    def write(self, count: int = 1, **values: Any) -> list[int]:
        """Rows of the trail, each of its own transaction; their ids."""
        with self.database.engine("api").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return [connection.scalar(insert(audit).values(row(**values)).returning(audit.c.id)) for _ in range(count)]

    def write_sealed(self, seal_count: int, *, rows: int = 2) -> list[int]:
        """Rows under so many seals."""
        written = []
        for _ in range(seal_count):
            written += self.write(rows)
            seals.seal(self.relay)
        return written

    def tamper(self, statement: str, *values: Any) -> None:
        self.attacker.execute(statement, values)

    def heads(self) -> list[tuple[int, bytes]]:
        """Every head the chain has had: what another service may keep."""
        return list(self.attacker.execute("SELECT seq, hash FROM audit_seals ORDER BY seq"))

    def verify(self, anchors: Sequence[tuple[int, bytes]] = ()) -> list[Finding]:
        """Whatever is found wrong, with no more rights than a verifying process has."""
        engine = self.database.engine("worker").execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            walk = Walk(connection, anchors)
            found: list[Finding] = []
            while not walk.complete:
                found += walk.stretch(most_rows=5)
            return [*found, *walk.unsealed()]


def row(**values: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"actor_id": new_id(), "session_id": "s", "action": "UpdateNote", "resource": "note"}
    made |= {"resource_id": str(new_id()), "before": {"text": "旧"}, "after": {"text": "新"}, "origin": "10.0.0.7"}
    places = {"post_ids": [new_id()], "owner_ids": [new_id()], "unit_ids": [new_id()], "trace_id": "f" * 32}
    return made | places | values


def faults(found: Sequence[Finding]) -> list[str]:
    return [Fault.Name(finding.fault).removeprefix("AUDIT_FAULT_") for finding in found]


@contextmanager
def opened(database: ServiceDatabase) -> Iterator[Trail]:
    url = database.url("relay").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as relay, database.admin() as attacker:
        yield Trail(database, relay, attacker)
