"""Verifying a trail: walks the chain in bounded memory and names whatever is not as it was sealed."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from chassis import seals
from chassis.seals import AS_TEXT, COLUMNS, GENESIS, Seal, row_hash
from tongxiao.common.v1 import audit_pb2 as pb

Fault = pb.AuditFault
# Seals read at once, and findings of one kind that are told at the end of a chain.
PAGE, TOLD = 20, 1000

# A moment that no clock can have told is read as none, and an array of arrays flat.
SEALS = text("""
SELECT seq, version, previous, ARRAY(SELECT unnest(audit_ids)) AS audit_ids, row_hashes, hash,
    coalesce(array_ndims(audit_ids) = 1 AND array_lower(audit_ids, 1) = 1, false) AS flat,
    CASE WHEN sealed_at BETWEEN '1970-01-01Z' AND '9999-01-01Z' THEN sealed_at END AS sealed_at
FROM audit_seals WHERE seq > :after ORDER BY seq LIMIT :page
""")
ROWS = text(f"SELECT {AS_TEXT}, a.at::text FROM audit a WHERE a.id = ANY(:ids)")  # noqa: S608
HASH = text("SELECT hash FROM audit_seals WHERE seq = :seq")
# A row that waits was written lately; one that neither waits nor is sealed was slipped in.
LATE = text("""
SELECT a.id, a.resource, a.resource_id, a.at::text FROM audit_unsealed JOIN audit a USING (id)
WHERE a.at < now() - interval '1 minute' ORDER BY a.id LIMIT :told
""")
STRAY = text("""
SELECT a.id, a.resource, a.resource_id, a.at::text FROM audit a
LEFT JOIN (SELECT unnest(audit_ids) AS id FROM audit_seals) sealed ON sealed.id = a.id
WHERE sealed.id IS NULL AND NOT EXISTS (SELECT FROM audit_unsealed waiting WHERE waiting.id = a.id)
ORDER BY a.id LIMIT :told
""")
VANISHED = text("""
SELECT waiting.id FROM audit_unsealed waiting LEFT JOIN audit a USING (id) WHERE a.id IS NULL
ORDER BY waiting.id LIMIT :told
""")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, at which seal, and of a row its id, record and moment."""

    fault: Fault.ValueType
    text: str
    seal: int = 0
    entry_id: int = 0
    resource: str = ""
    resource_id: str = ""
    at: str = ""

    def __str__(self) -> str:
        return f"{Fault.Name(self.fault).removeprefix('AUDIT_FAULT_')}: {self.text}"


@dataclass
class Walk:
    """A walk along a chain; `anchors` are heads that another service keeps of it, in its order."""

    connection: Connection
    anchors: Iterable[tuple[int, bytes]] = ()
    after: int = 0
    rows: int = 0
    complete: bool = False
    _hash: bytes = GENESIS
    _anchor: tuple[int, bytes] | None = None
    _kept: Iterator[tuple[int, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = iter(self.anchors)
        if self.after:
            self._hash = self.connection.scalar(HASH, {"seq": self.after}) or GENESIS

    def stretch(self, *, most_rows: int) -> Iterator[Finding]:
        """What is wrong with the next seals and their rows, until so many rows were compared or the chain ends."""
        enough = self.rows + most_rows
        while found := self.connection.execute(SEALS, {"after": self.after, "page": PAGE}).all():
            for stored in found:
                yield from self._link(stored)
                yield from self._compare(stored)
                yield from self._anchored(stored.seq, bytes(stored.hash))
                if self.rows >= enough:
                    return
        self.complete = True
        yield from self._cut_off()

    def unsealed(self, *, everywhere: bool = True) -> Iterator[Finding]:
        """Rows that nothing has sealed; those that do not even wait are looked for `everywhere`, which takes long."""
        for query in (LATE, STRAY) if everywhere else (LATE,):
            for row in self.connection.execute(query, {"told": TOLD}):
                yield _of_row(Fault.AUDIT_FAULT_ROW_UNSEALED, "no seal holds", 0, row)
        for row in self.connection.execute(VANISHED, {"told": TOLD}):
            line = f"row {row.id} was removed before it was sealed"
            yield Finding(Fault.AUDIT_FAULT_ROW_REMOVED, line, entry_id=row.id)

    def forgo_anchors(self) -> None:
        """Walk on with nothing to compare the chain with."""
        self._kept, self._anchor = iter(()), None

    def _link(self, stored: Any) -> Iterator[Finding]:
        if stored.seq > self.after + 1:
            missing = _span(self.after + 1, stored.seq - 1)
            yield Finding(Fault.AUDIT_FAULT_SEAL_REMOVED, f"{missing} gone", seal=self.after + 1)
        elif bytes(stored.previous) != self._hash:
            line = f"seal {stored.seq} does not follow the seal before it: one of the two was edited"
            yield Finding(Fault.AUDIT_FAULT_SEAL_EDITED, line, seal=stored.seq)
        if _computed(stored) != bytes(stored.hash):
            line = f"seal {stored.seq} is not as it was made"
            yield Finding(Fault.AUDIT_FAULT_SEAL_EDITED, line, seal=stored.seq)
        self.after, self._hash = stored.seq, bytes(stored.hash)

    def _compare(self, stored: Any) -> Iterator[Finding]:
        ids = [one for one in stored.audit_ids if isinstance(one, int)]
        found = {int(row[0]): row for row in self.connection.execute(ROWS, {"ids": ids})}
        for place, one in enumerate(stored.audit_ids):
            if one not in found:
                line = f"row {one}, sealed by seal {stored.seq} at {stored.sealed_at}, is gone"
                yield Finding(Fault.AUDIT_FAULT_ROW_REMOVED, line, seal=stored.seq, entry_id=_number(one))
            elif row_hash(found[one][: len(COLUMNS)]) != _kept_hash(stored.row_hashes, place):
                yield _of_row(Fault.AUDIT_FAULT_ROW_EDITED, "was edited:", stored.seq, _named(found[one]))
        self.rows += len(stored.audit_ids)

    def _anchored(self, seq: int, held: bytes) -> Iterator[Finding]:
        """Compare a seal with the heads kept elsewhere under its number; a seal that is gone was named already."""
        while (anchor := self._next()) and anchor[0] <= seq:
            self._anchor = None
            if anchor[0] == seq and anchor[1] != held:
                line = f"seal {seq} is another than the one told at the time: the chain up to it was rewritten"
                yield Finding(Fault.AUDIT_FAULT_CHAIN_REWRITTEN, line, seal=seq)

    def _cut_off(self) -> Iterator[Finding]:
        told = [anchor[0] for anchor in self._left() if anchor[0] > self.after]
        if told:
            missing = _span(self.after + 1, max(told))
            yield Finding(Fault.AUDIT_FAULT_TAIL_CUT, f"{missing} cut off the chain's end", seal=self.after + 1)

    def _next(self) -> tuple[int, bytes] | None:
        if self._anchor is None:
            self._anchor = next(self._kept, None)
        return self._anchor

    def _left(self) -> Iterator[tuple[int, bytes]]:
        while anchor := self._next():
            self._anchor = None
            yield anchor


def _computed(stored: Any) -> bytes | None:
    """The hash that a stored seal's content gives; nothing where it can be no seal's."""
    content = (stored.seq, stored.version, bytes(stored.previous), stored.audit_ids)
    made = Seal(*content, row_hashes=bytes(stored.row_hashes), sealed_at=stored.sealed_at)
    try:
        return made.hash if stored.flat and stored.version == seals.VERSION else None
    except (struct.error, TypeError):
        return None


def _kept_hash(row_hashes: bytes, place: int) -> bytes:
    return bytes(row_hashes[place * seals.HASH_BYTES : (place + 1) * seals.HASH_BYTES])


def _named(row: Sequence[Any]) -> tuple[int, str, str, str]:
    """Id, resource, its id and moment of a row that was read as texts."""
    return int(row[0]), row[COLUMNS.index("resource")], row[COLUMNS.index("resource_id")], row[len(COLUMNS)]


def _of_row(fault: Fault.ValueType, what: str, seal: int, row: Any) -> Finding:
    id_, resource, resource_id, at = row
    line = f"row {id_} {what} {resource} {resource_id} at {at}"
    return Finding(fault, line, seal=seal, entry_id=id_, resource=resource, resource_id=resource_id, at=at)


def _number(one: Any) -> int:
    return one if isinstance(one, int) else 0


def _span(first: int, last: int) -> str:
    return f"seal {first} is" if first == last else f"seals {first} to {last} are"
