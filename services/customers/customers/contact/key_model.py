"""A key per contact: what their personal values in the audit trail are sealed with. Destroying it erases the values.

Keys are kept wrapped by the installation's master key, so that the database alone, or a copy of it, opens nothing.
"""

import os
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import CheckConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.personal import KEY_BYTES, NONCE_BYTES
from chassis.reach import Reach, Unscoped
from customers.base import Base

_EXEMPT = {"reach": "keys of contacts, which no answer holds"}


class ContactKey(Base):
    """A contact's key; the row stays when it is destroyed, so that none is made again."""

    __tablename__ = "contact_keys"
    __reach__ = Reach(read=Unscoped("what a key opens is within reach or is not; the key itself is never shown"))

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),)


class MasterKeyMissingError(Exception):
    """This process was not told the master key, and may neither write nor open personal values."""


_table: Any = ContactKey.__table__
_master: bytes | None = None


def use_master(secret: str) -> None:
    """Wrap contacts' keys by what a secret of the installation gives."""
    global _master
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"tongxiao contact keys v1")
    _master = derived.derive(secret.encode())


def made(session: Session, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
    """The contacts' keys, made where there were none; destroyed ones are left out."""
    now = clock.now()
    fresh = {id_: AESGCM.generate_key(KEY_BYTES * 8) for id_ in sorted(ids)}
    rows = [{"contact_id": id_, "wrapped": _wrapped(id_, key), "created_at": now} for id_, key in fresh.items()]
    session.connection().execute(insert(_table).on_conflict_do_nothing(), rows, execution_options=_EXEMPT)
    return found(session, ids)


def found(session: Session, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
    """The keys that these contacts have."""
    columns = _table.c
    wanted = select(columns.contact_id, columns.wrapped).where(columns.contact_id.in_(ids))
    rows = session.connection().execute(wanted.where(columns.wrapped.is_not(None)), execution_options=_EXEMPT)
    return {row.contact_id: _unwrapped(row.contact_id, row.wrapped) for row in rows}


def destroy(session: Session, contact_id: UUID) -> None:
    """Destroy a contact's key, had they one or not: no value sealed with it is ever read again.

    Before the contact is blanked, so that what they were is kept under no other key.
    """
    now = clock.now()
    gone = {"wrapped": None, "destroyed_at": now}
    statement = insert(_table).values(contact_id=contact_id, created_at=now, **gone)
    statement = statement.on_conflict_do_update(index_elements=["contact_id"], set_=gone)
    session.connection().execute(statement, execution_options=_EXEMPT)


def _wrapped(contact_id: UUID, key: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_master_key()).encrypt(nonce, key, contact_id.bytes)


def _unwrapped(contact_id: UUID, wrapped: bytes) -> bytes:
    nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
    return AESGCM(_master_key()).decrypt(nonce, ciphertext, contact_id.bytes)


def _master_key() -> bytes:
    if _master is None:
        raise MasterKeyMissingError("TONGXIAO_PERSONAL_KEY is needed to write or open contacts' personal values")
    return _master
