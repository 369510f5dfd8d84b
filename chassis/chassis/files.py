"""Files: uploaded by people for long work, and made by it for them. A folder of this machine, or a bucket.

A key names its owner and cannot be guessed. The name that people know a file by stands in another beside it. Files are
kept for a week.
"""

import json
import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from chassis import clock
from chassis.errors import refuse

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
LARGEST = 64 * 1024 * 1024
_PART = 1024 * 1024
_NAMES = ".names"

_store: ObjectStore | None = None


def use(url: str) -> None:
    """Keep this process's files there; nowhere, where the address is empty."""
    global _store
    if url.startswith("file://"):
        Path(url.removeprefix("file://")).mkdir(parents=True, exist_ok=True)
    _store = from_url(url) if url else None


def new_key(person_id: UUID, suffix: str = "") -> str:
    """The key of a new file of somebody's."""
    return f"{person_id.hex}-{secrets.token_hex(16)}{suffix}"


def is_of(key: str, person_id: UUID) -> bool:
    """Whether a file is this person's."""
    return key.startswith(f"{person_id.hex}-") and "/" not in key


async def receive(key: str, parts: AsyncIterator[bytes], *, name: str = "") -> int:
    """Keep what arrives, under the name people know it by; its size.

    Refuses FILE_TOO_LARGE, and keeps nothing then; FILES_UNAVAILABLE at once.
    """
    store, size = _required(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for part in parts:
            size += len(part)
            if size > LARGEST:
                raise refuse("FILE_TOO_LARGE", limit=LARGEST)
            yield part

    with tempfile.TemporaryFile() as kept:
        async for part in counted():
            kept.write(part)
        kept.seek(0)
        await obstore.put_async(store, key, kept)
    if name:
        await obstore.put_async(store, f"{key}{_NAMES}", _names(name))
    return size


async def send(key: str) -> tuple[int, AsyncIterator[bytes]]:
    """A file's size and bytes; refuses FILE_UNKNOWN."""
    try:
        found = await obstore.get_async(_required(), key)
    except (BaseError, FileNotFoundError) as error:
        raise refuse("FILE_UNKNOWN") from error
    return found.meta["size"], _parts(found)


async def names_of(key: str) -> tuple[str, str]:
    """The names that people know a file by, in Chinese and in English; empty where it has none."""
    try:
        found = await obstore.get_async(_required(), f"{key}{_NAMES}")
    except (BaseError, FileNotFoundError):
        return "", ""
    name, name_en = json.loads(bytes(await found.bytes_async()))
    return name, name_en


def put(key: str, file: Any) -> None:
    """Keep a file that was made here."""
    obstore.put(_required(), key, file)


def name(key: str, name: str, name_en: str = "") -> None:
    """Have people know a file by a name, and by another in English where it has one."""
    obstore.put(_required(), f"{key}{_NAMES}", _names(name, name_en))


@contextmanager
def fetched(key: str) -> Iterator[Path]:
    """A file as a path of this machine, for as long as the context lasts; refuses FILE_UNKNOWN."""
    try:
        found = obstore.get(_required(), key)
    except (BaseError, FileNotFoundError) as error:
        raise refuse("FILE_UNKNOWN") from error
    with tempfile.NamedTemporaryFile() as kept:
        for part in found.stream(_PART):
            kept.write(part)
        kept.flush()
        yield Path(kept.name)


def exists(key: str) -> bool:
    try:
        obstore.head(_required(), key)
    except (BaseError, FileNotFoundError):
        return False
    return True


def forget() -> None:
    """Delete the files that are a week old."""
    if _store is None:
        return
    before = clock.now() - KEPT
    for page in obstore.list(_store):
        old = [each["path"] for each in page if each["last_modified"] < before]
        if old:
            obstore.delete(_store, old)


def _names(name: str, name_en: str = "") -> bytes:
    return json.dumps([name, name_en or name]).encode()


async def _parts(found: Any) -> AsyncIterator[bytes]:
    async for part in found.stream(_PART):
        yield bytes(part)


def _required() -> ObjectStore:
    if _store is None:
        log.warning("a file is asked for, and TONGXIAO_FILES_URL is not set")
        raise refuse("FILES_UNAVAILABLE")
    return _store
