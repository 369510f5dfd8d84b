"""Requests made up from the API's own description, and what the platform answers to them."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import schemathesis

# Read here, while no other thread runs: see PARSING.
import schemathesis.specs.openapi.schemas
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from .platform import FRESH_S, Platform

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
# What Python before 3.11.8 may fail with where threads parse code (gh-106905): no fault of what is asked.
PARSING = "AST constructor recursion depth mismatch"


@dataclass
class Outcome:
    """How many requests were made, by status, and what was wrong with the answers, each kind once."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def faults(self) -> int:
        """How many answers were 5xx; a request without an answer is one."""
        return sum(count for status, count in self.statuses.items() if status >= 500 or not status)

    def add(self, recorder: ScenarioRecorder) -> None:
        for interaction in recorder.interactions.values():
            self.statuses[interaction.response.status_code if interaction.response else 0] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    key = f"{recorder.label}: {check.name}: {check.failure_info.failure.title}"
                    self.failures.setdefault(key, _shown(recorder, case_id, check.failure_info.failure.message))

    def merge(self, other: "Outcome") -> None:
        self.statuses += other.statuses
        self.failures |= other.failures
        self.errors += other.errors

    def __str__(self) -> str:
        by_status = ", ".join(f"{count:,} × {status or 'none'}" for status, count in sorted(self.statuses.items()))
        wrong = [*self.errors, *(f"{key}\n    {text}" for key, text in self.failures.items())]
        return "\n".join([f"{self.requests:,} requests, {self.faults:,} × 5xx ({by_status})", *wrong])


def fuzz(platform: Platform, username: str, *, seconds: int) -> Outcome:
    """Send made-up requests in a person's name for some seconds, all failures collected."""
    outcome = Outcome()
    for event in _events(platform, username, seconds=seconds):
        if isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            outcome.add(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError) and PARSING not in str(event):
            outcome.errors.append(str(event))
    return outcome


def _events(platform: Platform, username: str, *, seconds: int) -> Iterator[Any]:
    schema = schemathesis.openapi.from_url(f"{platform.url}/v1/openapi.json", config=_config(seconds))

    @schema.auth(refresh_interval=FRESH_S)
    class _SignedIn:
        def get(self, _case: Any, _context: Any) -> str:
            return platform.token(username)

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}

    yield from from_schema(schema).execute()


def _config(seconds: int) -> SchemathesisConfig:
    checks: dict[str, Any] = {"enabled": False, **{name: {"enabled": True} for name in CHECKS}}
    return SchemathesisConfig.from_dict(
        {
            "seed": random.randrange(2**32),
            "max-time": seconds,
            "continue-on-failure": True,
            "workers": 1,
            "request-timeout": 20,
            "checks": checks,
            "generation": {"max-examples": 50, "database": "none", "no-shrink": True},
            "suppress-health-check": ["all"],
        }
    )


def _shown(recorder: ScenarioRecorder, case_id: str, message: str) -> str:
    interaction = recorder.interactions.get(case_id)
    if interaction is None:
        return message
    request, answer = interaction.request, interaction.response
    body = (request.body or b"")[:300]
    return f"{request.method} {request.uri} {body!r} → {answer and answer.content[:600]!r}\n    {message}"
