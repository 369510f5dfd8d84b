"""The sections of RESULTS.md: a measurement's title, what was measured, and its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    title: str
    told: str
    table: str

    @property
    def text(self) -> str:
        return f"## {self.title}\n\n{self.told}\n\n{self.table}\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
