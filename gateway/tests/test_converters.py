"""Bodies and replies mean what json_format means, for every message any RPC takes or answers."""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import catalogue, fields, readers, replies

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
SECONDS = st.integers(0, 4_000_000_000)
MICROSECONDS = st.integers(0, 999_999)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    fields.STRING: TEXT,
    fields.BOOL: st.booleans(),
    fields.BYTES: st.binary(max_size=8).map(lambda some: base64.b64encode(some).decode()),
    **dict.fromkeys(fields.SIGNED, st.integers(-(2**31), 2**31 - 1)),
    **dict.fromkeys(fields.UNSIGNED, st.integers(0, 2**32 - 1)),
    **dict.fromkeys(fields.REALS, st.floats(allow_nan=False, allow_infinity=False, width=32)),
}
REPLIES = {rpc.reply.DESCRIPTOR.name: rpc.reply for rpc in catalogue.rpcs()}
REQUESTS = {rpc.request.DESCRIPTOR.name: rpc.request for rpc in catalogue.rpcs()}


def values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    """JSON of one value of a field."""
    if field.type == fields.ENUM:
        return st.sampled_from([value.name for value in fields.enum_of(field).values])
    if field.type != fields.MESSAGE:
        return SCALARS[field.type]
    known = fields.well_known(field)
    if known == fields.TIMESTAMP:
        moments = st.tuples(SECONDS, MICROSECONDS)
        return moments.map(lambda it: datetime.fromtimestamp(it[0], UTC).replace(microsecond=it[1]).isoformat())
    if known == fields.STRUCT:
        return st.dictionaries(TEXT, JSON_VALUES, max_size=2)
    return objects(fields.message_of(field), depth - 1) if not known else st.just("")


def objects(message: Any, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects of a message: each field may be absent."""
    members = {}
    for field in message.fields:
        one = values(field, depth) if depth or field.type != fields.MESSAGE else None
        if one is not None and not fields.is_map(field):
            members[field.json_name] = st.lists(one, max_size=2) if field.is_repeated else one
    return st.fixed_dictionaries({}, optional=members)


@pytest.mark.parametrize("name", REPLIES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_reply_has_json_formats_names_and_reads_back_as_it_was(name: str, data: st.DataObject) -> None:
    kind = REPLIES[name]
    message = json_format.ParseDict(_in_double(data.draw(objects(kind.DESCRIPTOR))), kind())
    written = orjson.loads(replies.encoded(replies.kind(kind.DESCRIPTOR).from_binary(message.SerializeToString())))
    assert set(written) == set(json_format.MessageToDict(message, always_print_fields_with_no_presence=True))
    assert json_format.ParseDict(written, kind()) == message


@pytest.mark.parametrize("name", REQUESTS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_body_is_read_as_by_json_format_but_for_outputs(name: str, data: st.DataObject) -> None:
    kind = REQUESTS[name]
    given_body = _in_double(data.draw(objects(kind.DESCRIPTOR)))
    found, usual = kind(), json_format.ParseDict(given_body, kind())
    readers.reader(kind.DESCRIPTOR)(found, given_body, "")
    _clear_outputs(usual)
    assert found == usual


def _clear_outputs(message: Message) -> None:
    for field, value in message.ListFields():
        if fields.is_output_only(field):
            message.ClearField(field.name)
        elif field.type == fields.MESSAGE and not fields.well_known(field) and not fields.is_map(field):
            for part in value if field.is_repeated else (value,):
                _clear_outputs(part)


def _in_double(value: Any) -> Any:
    """As JSON carries it: through text and back."""
    return orjson.loads(orjson.dumps(value))
