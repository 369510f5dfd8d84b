"""Waiting for what another process does: the only place where tests sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(condition: Callable[[], Found | None], timeout: float = 10, *, every: float = 0.05) -> Found:
    """What the condition returns as soon as that is true; fails with its last answer after `timeout` seconds.

    An AssertionError inside the condition counts as not yet.
    """
    deadline = time.monotonic() + timeout
    while True:
        last, refusal = _ask(condition)
        if last:
            return last
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s; last answer: {last!r}") from refusal
        time.sleep(every)


def _ask(condition: Callable[[], Found | None]) -> tuple[Found | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as error:
        return None, error
