"""Personal values in the audit trail: AES-256-GCM under a key per person, so that destroying it erases the values.

A sealed value is a protocol between releases: {"personal": base64(version · nonce · ciphertext)}, bound to its record
and field. `{"personal": true}` says only that a value stood there.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

KEY_BYTES, NONCE_BYTES = 32, 12
VERSION = b"\x01"
# What stands for a value of which nothing is kept.
UNKEPT = {"personal": True}
ERASED = {"erased": True}


class Keys(Protocol):
    """Where a class keeps its records' keys; it names one as `__personal_keys__`."""

    def made(self, session: Session, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The keys of these records, made where there were none; destroyed ones are left out."""

    def found(self, session: Session, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The keys that these records have."""


def sealed(key: bytes | None, value: str, *, bound_to: str) -> dict[str, Any]:
    """What the trail keeps of a value; without a key, that there was one."""
    if key is None:
        return UNKEPT
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, value.encode(), bound_to.encode())
    return {"personal": b64encode(VERSION + nonce + ciphertext).decode()}


def opened(key: bytes | None, kept: Mapping[str, Any], *, bound_to: str) -> str | None:
    """The value; nothing where its key was destroyed, where none was kept, or where it was tampered with."""
    if key is None or kept["personal"] is True:
        return None
    raw = b64decode(kept["personal"])
    nonce, ciphertext = raw[1 : 1 + NONCE_BYTES], raw[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound_to.encode()).decode()
    except InvalidTag:
        return None


def is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"personal"}
