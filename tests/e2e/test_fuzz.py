"""Whatever is asked, well or badly, the platform answers as its description says."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .fuzzing import Outcome, fuzz
from .platform import Platform

# A long run, `make fuzz requests=100000`, takes many rounds; each begins anew, before too much has been wrecked.
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "0"))
LEAST = 500
# The director's rights are over customers; the administrator's are over those of everybody, and so come last.
SECONDS = {"director": 30, "omnipotent": 30} if not REQUESTS else {"director": 150, "omnipotent": 150}


@pytest.mark.timeout(0 if REQUESTS else 300)
def test_made_up_requests_meet_no_fault_and_answers_are_as_described(
    arena: Callable[[], AbstractContextManager[Platform]], tally: Callable[..., None]
) -> None:
    outcome = Outcome()
    while not outcome.requests or outcome.requests < REQUESTS:
        with arena() as platform:
            for username, seconds in SECONDS.items():
                outcome.merge(fuzz(platform, username, seconds=seconds))
        print(outcome, flush=True)  # noqa: T201 — a long run shows how far it is
    tally("fuzz", "requests", asked=REQUESTS or LEAST, counted=outcome.requests)
    tally("fuzz", "faults and odd answers", asked=0, counted=outcome.faults + len(outcome.failures))
    assert (outcome.faults, outcome.failures, outcome.errors) == (0, {}, []), str(outcome)
    assert outcome.requests > LEAST
