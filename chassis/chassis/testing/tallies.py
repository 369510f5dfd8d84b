"""Figures of a run, for the table that it ends with; kept in the file, if any, that TONGXIAO_TALLIES names."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

VARIABLE = "TONGXIAO_TALLIES"

kept: list[str] = []


def keep(part: str, name: str, *, counted: int, asked: int | None = None, of: Mapping[str, int] | None = None) -> None:
    """Keep a figure, beside what was asked for and what it is made of."""
    kept.append(json.dumps([part, name, asked, counted, of or {}], ensure_ascii=False))
    if place := os.environ.get(VARIABLE):
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(f"{kept[-1]}\n")


def table(figures: Iterable[str]) -> Iterator[str]:
    """The lines of the table; its head only where there is something to show."""
    rows = [json.loads(figure) for figure in figures]
    if rows:
        yield f"{'part':<10} {'figure':<34} {'asked':>12} {'counted':>12}"
    for part, name, asked, counted, of in rows:
        wanted = "" if asked is None else f"{asked:,}"
        made_of = ", ".join(f"{count:,} {what}" for what, count in of.items())
        yield f"{part:<10} {name:<34} {wanted:>12} {counted:>12,}  {made_of}".rstrip()
