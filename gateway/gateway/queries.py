"""Query string → fields of a request, by readers compiled once per binding."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway import fields, readers
from gateway.bindings import Binding, json_path
from gateway.refusals import refuse

Fill = Callable[[Message, list[str], str], None]

PARAMETERS = 300
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,9})")
_REAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TRUTHS = {"true": True, "false": False}


def reader(binding: Binding) -> Callable[[Message, bytes], str]:
    """Fills a request from a query string, but for the mask, which is answered as it was given.

    Refuses UNKNOWN_FIELD, WRONG_TYPE, UNKNOWN_VALUE, GIVEN_TWICE what is not a list, and MALFORMED_ADDRESS.
    """
    request, mask = binding.rpc.method.input_type, ""
    known: dict[str, Fill] = {}
    for path, field in binding.query.items():
        if path == binding.mask:
            mask = json_path(request, path)
        else:
            known[json_path(request, path)] = _filler(path, field)

    def fill(message: Message, query: bytes) -> str:
        given = parse(query) if query else {}
        asked = _single(given.pop(mask), mask) if mask in given else ""
        for name, texts in given.items():
            if name not in known:
                raise refuse("UNKNOWN_FIELD", field=name)
            known[name](message, texts, name)
        return asked

    return fill


def parse(query: bytes) -> dict[str, list[str]]:
    """Names to values, in order; refuses MALFORMED_ADDRESS what is not UTF-8, or too much."""
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS)
    except ValueError as error:
        raise refuse("MALFORMED_ADDRESS") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def fill_address(message: Message, binding: Binding, values: list[str]) -> None:
    """Fill the fields that the address itself names."""
    for path, value in zip(binding.template.variables, values, strict=True):
        *parents, last = path.split(".")
        setattr(_within(message, parents), last, value)


def _filler(path: str, field: FieldDescriptor) -> Fill:
    *parents, last = path.split(".")
    read = _text_reader(field)

    def many(message: Message, texts: list[str], name: str) -> None:
        getattr(_within(message, parents), last).extend(read(text, name) for text in texts)

    def one(message: Message, texts: list[str], name: str) -> None:
        setattr(_within(message, parents), last, read(_single(texts, name), name))

    def moment(message: Message, texts: list[str], name: str) -> None:
        readers.fill_well_known(_single(texts, name), getattr(_within(message, parents), last), name)

    if field.is_repeated:
        return many
    return moment if field.type == fields.MESSAGE else one


def _single(texts: list[str], name: str) -> str:
    if len(texts) > 1:
        raise refuse("GIVEN_TWICE", field=name)
    return texts[0]


def _within(message: Any, parents: list[str]) -> Any:
    for name in parents:
        message = getattr(message, name)
        message.SetInParent()
    return message


def _text_reader(field: FieldDescriptor) -> Callable[[str, str], Any]:
    if field.type in (*fields.SIGNED, *fields.UNSIGNED):
        return _number(_INTEGER, readers.scalar(field))
    if field.type in fields.REALS:
        return _number(_REAL, readers.scalar(field))
    if field.type == fields.BOOL:
        return _truth
    if field.type == fields.MESSAGE:
        return lambda text, _name: text
    return readers.scalar(field)


def _number(form: re.Pattern[str], read: readers.Scalar) -> Callable[[str, str], Any]:
    def read_text(text: str, name: str) -> Any:
        if not form.fullmatch(text):
            raise refuse("WRONG_TYPE", field=name)
        return read(float(text) if form is _REAL else int(text), name)

    return read_text


def _truth(text: str, name: str) -> bool:
    if text not in _TRUTHS:
        raise refuse("WRONG_TYPE", field=name)
    return _TRUTHS[text]
