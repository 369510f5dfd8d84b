"""Entity tags: which version a client holds, and from which one it changes (RFC 9110 §13)."""

import re

from chassis.errors import refuse as refuse_common
from gateway.refusals import refuse

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


def tag(etag: str) -> str:
    return f'"{etag}"'


def expected(if_match: str) -> str:
    """The version an If-Match header names, or `*`. A weak tag matches none; more than one is HEADER_INVALID."""
    text = if_match.strip()
    if text == "*":
        return text
    found = _TAG.fullmatch(text)
    if found is None:
        raise refuse("HEADER_INVALID", field="If-Match")
    if found[1]:
        raise refuse_common("VERSION_MISMATCH")
    return found[2]


def held(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header says that the client holds this version."""
    return if_none_match.strip() == "*" or any(found[1] == etag for found in _tags(if_none_match))


def _tags(header: str) -> list[tuple[str, str]]:
    return _TAG.findall(header)
