"""Bytes that travel between processes of different versions: what they are, they stay. Readers first, writers later."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from chassis import envelope, outbox, relay
from chassis.database import transaction
from chassis.envelope import Envelope
from chassis.testing import ServiceDatabase

GOLDEN = Path(__file__).parent / "golden"
EVENT = Envelope(
    id=UUID("019324d0-0000-7000-8000-0000000000e1"),
    source="customers",
    type="customer.changed.v1",
    subject="019324d0-0000-7000-8000-0000000000c1",
    time=datetime(2026, 11, 23, 8, 30, 0, 123000, UTC),
    version=7,
    data={"name": "杭州示例有限公司", "assignments": [{"lineId": "019324d0-0000-7000-8000-0000000000a1"}]},
)


def test_the_envelopes_bytes() -> None:
    assert EVENT.encode() == (GOLDEN / "envelope.json").read_bytes()


def test_the_envelope_is_read_back() -> None:
    assert envelope.decode((GOLDEN / "envelope.json").read_bytes()) == EVENT


def test_a_reader_passes_over_what_it_does_not_know() -> None:
    newer = (GOLDEN / "envelope.json").read_bytes().replace(b'{"specversion"', b'{"dataschema":"x","specversion"')
    assert envelope.decode(newer) == EVENT


def test_an_envelope_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="262144 are allowed"):
        Envelope(**{**vars(EVENT), "data": {"text": "x" * envelope.LIMIT}}).encode()


def test_the_outbox_row_and_the_message_it_becomes(service_database: Callable[[str], ServiceDatabase]) -> None:
    database = service_database("probe")
    with transaction(database.engine("api")) as session:
        outbox.publish(session, EVENT, lane=outbox.BULK)
    with psycopg.connect(database.url("relay").replace("+psycopg", ""), row_factory=dict_row) as connection:
        row = connection.execute("SELECT * FROM outbox").fetchone()
        assert row
        assert (row["event_id"], row["type"], row["lane"], row["headers"]) == (EVENT.id, EVENT.type, 1, {})
        assert bytes(row["envelope"]) == EVENT.encode()
        assert row["published_at"] is None
    kept = relay.Row(row["id"], row["event_id"], row["type"], row["lane"], bytes(row["envelope"]), row["headers"])
    message = relay.message(kept, {"traceparent": "00-x"})
    properties = message.properties
    assert message.routing_key == "customer.changed.v1.bulk"
    assert (properties.message_id, properties.type) == (str(EVENT.id), EVENT.type)
    assert properties.content_type == "application/cloudevents+json"
    assert properties.headers == {"traceparent": "00-x"}
