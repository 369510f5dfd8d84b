"""A request as it came → the RPC's message: address, query, headers and body each fill their part."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from google.protobuf.message import Message
from starlette.requests import Request

from gateway import bodies, etags, masks, queries, readers
from gateway.bindings import Binding
from gateway.refusals import refuse

Compose = Callable[[Request, list[str]], Awaitable[Message]]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def composer(binding: Binding) -> Compose:
    """Composes the RPC's request; compiled once per binding."""
    return _with_body(binding) if binding.body else _without_body(binding)


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header, or nothing; refuses IDEMPOTENCY_KEY_INVALID."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise refuse("IDEMPOTENCY_KEY_INVALID", field="Idempotency-Key")
    return key or ""


def _without_body(binding: Binding) -> Compose:
    fill_query = queries.reader(binding)

    async def compose(request: Request, values: list[str]) -> Message:
        message = binding.rpc.request()
        fill_query(message, request.scope["query_string"])
        queries.fill_address(message, binding, values)
        _fill_etag(message, binding, request)
        return message

    return compose


def _with_body(binding: Binding) -> Compose:
    fill_query, body_type = queries.reader(binding), binding.body_type
    assert body_type is not None
    read = readers.reader(body_type)

    async def compose(request: Request, values: list[str]) -> Message:
        # A custom action that needs to be told nothing may come without a body.
        raw = await bodies.read(request) or (b"{}" if binding.body == "*" else b"")
        message, given = binding.rpc.request(), bodies.parse(raw)
        part = _part(message, binding.body)
        read(part, given, "")
        _demand_same_ids(binding, given, values)
        queries.fill_address(message, binding, values)
        _fill_etag(message, binding, request)
        mask = fill_query(message, request.scope["query_string"])
        if binding.mask:
            _fill_mask(message, binding, given, mask)
        return message

    return compose


def _part(message: Any, body: str) -> Message:
    if body == "*":
        whole: Message = message
        return whole
    part: Message = getattr(message, body)
    part.SetInParent()
    return part


def _demand_same_ids(binding: Binding, given: Mapping[str, Any], values: list[str]) -> None:
    """An id may be repeated in the body, but not differently."""
    address = dict(zip(binding.template.variables, values, strict=True))
    for json_name, path in binding.filled.items():
        if given.get(json_name) not in (None, "", address[path]):
            raise refuse("ID_MISMATCH", field=json_name)


def _fill_etag(message: Any, binding: Binding, request: Request) -> None:
    if not binding.etag:
        return
    header = request.headers.get("if-match")
    *parents, last = binding.etag.split(".")
    for parent in parents:
        message = getattr(message, parent)
    if header is not None:
        setattr(message, last, etags.expected(header))
    elif not getattr(message, last):
        raise refuse("PRECONDITION_REQUIRED", field="If-Match")


def _fill_mask(message: Any, binding: Binding, given: Mapping[str, Any], text: str) -> None:
    assert binding.body_type is not None
    taken = {*binding.filled, "etag"}
    of_text = masks.of_text(binding.body_type, text) if text else []
    paths = of_text or masks.of_body(binding.body_type, given, but=taken)
    getattr(message, binding.mask).paths.extend(paths)
