"""python -m bench [PART…]: measure, and write bench/RESULTS.md. Needs the servers of `make parts`.

A part's section replaces the one that was there; without arguments all are measured.
"""

import os
import re
import sys
import time
from pathlib import Path

from bench import chain, relay, rpc, scale, soak, work
from chassis import clock

PARTS = {
    "lists": scale.measure,
    "calls": rpc.measure,
    "chain": chain.measure,
    "events": relay.measure,
    "work": work.measure,
    "soak": soak.measure,
}
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = "# Results\n\nWritten by `make bench`. Compare within a section only: each is one run on one machine.\n"


def main() -> None:
    names = sys.argv[1:] or list(PARTS)
    if unknown := set(names) - PARTS.keys():
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in names:
        began, load = time.monotonic(), os.getloadavg()[0]
        print(f"{name} …", flush=True)
        section = PARTS[name]()
        when = (
            f"{clock.now():%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f} before, {os.getloadavg()[0]:.1f} after."
        )
        _keep(section.title, f"{section.text}\n{when}\n")
        print(f"{section.text}\n{name}: {time.monotonic() - began:.0f} s", flush=True)


def _keep(title: str, text: str) -> None:
    """Put a section in place of the one of its title, or at the end."""
    found = RESULTS.read_text(encoding="utf-8").removeprefix(HEAD) if RESULTS.exists() else ""
    sections = {part.splitlines()[0]: part for part in re.split(r"^(?=## )", found, flags=re.M) if part.strip()}
    sections[f"## {title}"] = text
    body = "\n".join(part.strip() + "\n" for part in sections.values())
    RESULTS.write_text(f"{HEAD}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
