"""Seals: the audit trail as a chain of hashes, and the sealing of what is not in it yet.

The bytes are a protocol between releases, told by a version and held by a golden file. Rows and seals are hashed under
different first bytes (as RFC 6962 does), so that one can never be taken for the other.

    row   SHA-256( 00 · version · each column as PostgreSQL's text: 00 for NULL, or 01 · length (4) · UTF-8 )
    seal  SHA-256( 01 · version · seq (8) · previous hash (32) · microseconds since 1970 (8) · count (4)
                      · each row's id (8) · each row's hash (32) )
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from chassis import clock

VERSION = 1
HASH_BYTES = 32
GENESIS = bytes(HASH_BYTES)
# Rows a seal holds at most, so that sealing a backlog takes turns with publishing.
BATCH = 2000
# What a row is hashed from, in this order, for ever: a later release's columns make another version.
COLUMNS = (
    *("id", "at", "actor_id", "session_id", "action", "resource", "resource_id", "owner_id", "unit_id"),
    *("before", "after", "origin", "trace_id", "post_ids", "owner_ids", "unit_ids"),
)
# An instant's text must not depend on the session's time zone.
AS_TEXT = ", ".join(f"extract(epoch FROM a.{name})::text" if name == "at" else f"a.{name}::text" for name in COLUMNS)

WAITING = f"SELECT {AS_TEXT} FROM audit_unsealed JOIN audit a USING (id) ORDER BY audit_unsealed.id LIMIT %s"  # noqa: S608
HEAD = "SELECT seq, hash, sealed_at FROM audit_seals ORDER BY seq DESC LIMIT 1"
SEAL = """
INSERT INTO audit_seals (seq, version, previous, audit_ids, row_hashes, sealed_at, hash)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
SEALED = "DELETE FROM audit_unsealed WHERE id = ANY(%s)"

Texts = Sequence[str | None]


@dataclass(frozen=True)
class Head:
    """The end of a chain, in short: its last seal."""

    seq: int
    hash: bytes
    sealed_at: datetime


@dataclass(frozen=True)
class Seal:
    """One link: the rows it holds, by id and hash, and the hash of the link before."""

    seq: int
    version: int
    previous: bytes
    audit_ids: Sequence[int]
    row_hashes: bytes
    sealed_at: datetime

    @property
    def hash(self) -> bytes:
        """The hash that this seal's content gives."""
        moment = (self.sealed_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        start = struct.pack(">BBq32sqI", 1, self.version, self.seq, self.previous, moment, len(self.audit_ids))
        ids = struct.pack(f">{len(self.audit_ids)}q", *self.audit_ids)
        return hashlib.sha256(start + ids + self.row_hashes).digest()


def row_hash(texts: Texts) -> bytes:
    """The hash of a row, given as the texts of its columns."""
    parts = [struct.pack(">BB", 0, VERSION)]
    for text in texts:
        if text is None:
            parts.append(b"\x00")
        else:
            value = text.encode()
            parts.append(struct.pack(">BI", 1, len(value)) + value)
    return hashlib.sha256(b"".join(parts)).digest()


def seal(connection: psycopg.Connection, *, limit: int = BATCH) -> bool:
    """Seal what is not sealed yet, at most `limit` rows, in one transaction; whether more may wait."""
    with connection.transaction():
        rows: list[Any] = connection.execute(WAITING, (limit,)).fetchall()
        if not rows:
            return False
        last = head(connection)
        made = Seal(
            seq=last.seq + 1 if last else 1,
            version=VERSION,
            previous=last.hash if last else GENESIS,
            audit_ids=[int(row[0]) for row in rows],
            row_hashes=b"".join(map(row_hash, rows)),
            sealed_at=clock.now(),
        )
        values = (made.seq, made.version, made.previous, made.audit_ids, made.row_hashes, made.sealed_at, made.hash)
        connection.execute(SEAL, values)
        connection.execute(SEALED, (made.audit_ids,))
    return len(rows) == limit


def head(connection: psycopg.Connection) -> Head | None:
    """The last seal, if there is one."""
    found: Any = connection.execute(HEAD).fetchone()
    return Head(*found) if found else None
