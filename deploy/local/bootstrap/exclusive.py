"""Lets one bootstrap at a time touch .venv and .cache."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.paths import CACHE
from deploy.local.progress import step


@contextmanager
def hold() -> Iterator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "bootstrap.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another installation in this tree"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
