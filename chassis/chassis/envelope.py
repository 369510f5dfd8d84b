"""The envelope of an event on the wire: CloudEvents 1.0 in JSON, the data protobuf JSON.

A protocol between releases: readers of a new field first, writers later.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

LIMIT = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One event. `version` is the aggregate's for a state, 0 for a fact; a tombstone is a state without data."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    version: int
    data: dict[str, Any] | None

    def encode(self) -> bytes:
        """The bytes that travel; refuses to be larger than 256 KiB."""
        body = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "datacontenttype": "application/json",
            "aggregateversion": self.version,
            "data": self.data,
        }
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if len(encoded) > LIMIT:
            raise ValueError(f"{self.type} {self.subject} is {len(encoded)} bytes; {LIMIT} are allowed")
        return encoded

    @property
    def tombstone(self) -> bool:
        return self.data is None

    def read(self, into: Message) -> Any:
        """The data as a message; fields this release does not know are passed over."""
        return ParseDict(self.data or {}, into, ignore_unknown_fields=True)


def decode(body: bytes) -> Envelope:
    """The envelope that bytes hold; ValueError or KeyError where they hold none."""
    found = json.loads(body)
    return Envelope(
        id=UUID(found["id"]),
        source=found["source"],
        type=found["type"],
        subject=found["subject"],
        time=datetime.fromisoformat(found["time"]),
        version=found.get("aggregateversion", 0),
        data=found["data"],
    )


def to_data(message: Message) -> dict[str, Any]:
    return MessageToDict(message)
