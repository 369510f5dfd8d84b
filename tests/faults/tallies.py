"""Figures of a run, for the table it ends with; kept in the file that FAULTS_TALLIES names, where one is named."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_kept: list[str] = []


def keep(part: str, name: str, *, counted: int, asked: int | None = None, of: Mapping[str, int] | None = None) -> None:
    """Keep a figure, beside what was asked for and what it is made of."""
    _kept.append(json.dumps([part, name, asked, counted, of or {}], ensure_ascii=False))
    if place := os.environ.get("FAULTS_TALLIES"):
        with Path(place).open("a") as file:
            file.write(f"{_kept[-1]}\n")


def lines() -> Iterator[str]:
    """The table."""
    for part, name, asked, counted, of in map(json.loads, _kept):
        wanted = "" if asked is None else f"{asked:,}"
        made_of = ", ".join(f"{count:,} {what}" for what, count in of.items())
        yield f"{part:<10} {name:<32} {wanted:>12} {counted:>12,}  {made_of}".rstrip()
