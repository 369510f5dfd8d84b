"""What `make faults` runs: every part to its end, whatever became of the one before, and one table of all of them."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis.testing import tallies
from deploy.local import testing
from deploy.local.instance import Instance
from deploy.local.progress import SetupError, say

Pytest = Callable[[Sequence[str], Mapping[str, str]], int]


@dataclass(frozen=True)
class Part:
    """Tests, and the variables that make them long where those are not set already."""

    tests: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """What became of a part: pytest's exit status."""

    status: int
    seconds: float


PARTS = {
    "storm": Part(("tests/faults/test_storm.py",), {"FAULTS_WRITES": "20000", "FAULTS": "200"}),
    "points": Part(("tests/faults/test_points.py", "-v"), {"FAULTS_POINTS": "all"}),
    "outages": Part(("tests/faults/test_outages.py", "tests/faults/test_chaos.py", "-v"), {"FAULTS_OUTAGE_S": "180"}),
    "reach": Part(("services/customers/tests/test_reach_property.py",), {"REACH_EXAMPLES": "5500"}),
    "fuzz": Part(("tests/e2e/test_fuzz.py",), {"FUZZ_REQUESTS": "100000"}),
}


def run(instance: Instance, chosen: Sequence[str]) -> int:
    """Run the chosen parts, or all; 1 where one of them, or a check, failed."""
    unknown = set(chosen) - set(PARTS)
    if unknown:
        raise SetupError(f"No part {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}")

    def pytest(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        return testing.pytest(instance, arguments, variables)

    with testing.parts(instance) as checked, TemporaryDirectory() as folder:
        figures = Path(folder, "tallies")
        ended = through(chosen or list(PARTS), pytest, figures)
        print("", *report(ended, figures), sep="\n")
    return int(checked != 0 or any(part.status for part in ended.values()))


def through(names: Sequence[str], pytest: Pytest, figures: Path) -> dict[str, Ended]:
    """Run parts one after the other; they keep their figures in a file."""
    ended = {}
    for number, name in enumerate(names, start=1):
        say(f"  {name}: part {number} of {len(names)}")
        part, began = PARTS[name], time.monotonic()
        longer = {variable: os.environ.get(variable, value) for variable, value in part.variables.items()}
        status = pytest([*part.tests, "-s"], {**longer, tallies.VARIABLE: str(figures)})
        ended[name] = Ended(status, time.monotonic() - began)
    return ended


def report(ended: Mapping[str, Ended], figures: Path) -> Iterator[str]:
    """The lines of the table, and what became of each part."""
    kept = figures.read_text(encoding="utf-8").splitlines() if figures.exists() else []
    yield from tallies.table(kept)
    for name, part in ended.items():
        yield f"{name:<10} {'failed' if part.status else 'passed'} in {part.seconds / 60:.0f} min"
