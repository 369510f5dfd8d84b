"""What a person sees while they wait, and how a failure says what to do."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

QUIET_SECONDS = 2
REPEAT_SECONDS = 10


class SetupError(Exception):
    """Something a person can act upon: shown as text, without a traceback."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Name a piece of work once it takes noticeably long, remind while it goes on, and say how long it took."""
    started, done = time.monotonic(), threading.Event()
    threading.Thread(target=_remind, args=(title, done), kwargs={"started": started}, daemon=True).start()
    try:
        yield
    except BaseException:
        done.set()
        raise
    done.set()
    say(f"  ✓ {title}  {time.monotonic() - started:.1f} s")


def _remind(title: str, done: threading.Event, *, started: float) -> None:
    pause = QUIET_SECONDS
    while not done.wait(pause):
        say(f"  … {title}  {time.monotonic() - started:.0f} s")
        pause = REPEAT_SECONDS


def run(command: Sequence[str], advice: str, *, environment: Mapping[str, str] | None = None) -> str:
    """Run a command quietly. When it fails, show the end of what it printed and the advice."""
    result = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if result.returncode:
        raise SetupError(f"{' '.join(command[:4])} … failed:\n{tail(result.stdout)}\n{advice}")
    return result.stdout


def tail(text: str, lines: int = 25) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
