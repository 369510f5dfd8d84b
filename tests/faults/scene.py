"""The chain, and what it has answered for so far."""

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass, field

from chassis.testing import eventually

from . import books
from .chain import Chain
from .phones import Ledger, new_line, signed_in

STRUCK = -signal.SIGKILL


@dataclass
class Scene:
    """All tests of a chain write into one ledger: the books are right over everything that ever happened to it."""

    chain: Chain
    ledger: Ledger = field(default_factory=Ledger)
    imported: int = 0
    # Each point that a process was struck at.
    struck: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.line = asyncio.run(new_line(self.chain))

    def arm(self, member: str, point: str) -> int:
        """Have a process die at a point; how often it has been struck before."""
        found = self.chain.members[member]
        before = found.exits.count(STRUCK)
        found.arm(f"{point}:1")
        return before + 1

    def await_strike(self, member: str, point: str, before: int) -> None:
        eventually(lambda: self.chain.members[member].exits.count(STRUCK) > before, 30)
        self.struck[point] += 1

    def run(self, point: str, *process: str) -> None:
        """Run a process of the probe's that ends by itself, and is struck at a point."""
        assert books.run(self.chain, "probe", *process, fault=f"{point}:1") == STRUCK
        self.struck[point] += 1

    async def create(self) -> None:
        async with signed_in(self.chain, "salesperson_h", self.ledger, line=self.line) as phone:
            await phone.create()

    def closed(self, *, trails: bool = False) -> dict[str, int]:
        """Every count that is off once all is well again."""
        books.settled(self.chain)
        return books.close(self.chain, self.ledger, imported=self.imported, trails=trails)
