"""Faults at random, from a seed: processes and servers killed, frozen, cut off or left half-open."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from .chain import Chain

GAP_S = (0.3, 1.2)
FROZEN_S = (1.0, 3.0)
# RabbitMQ saves which queues it keeps every half second: one younger than that has no leader after a kill.
SETTLING_S = 2.0
LOOKING_S = 0.1
# How often each kind comes beside the others.
WEIGHTS = {
    "kill customers relay": 10,
    "kill probe work": 10,
    "kill customers serve": 8,
    "kill gateway serve": 8,
    "kill customers jobs": 8,
    "kill identity serve": 5,
    "kill identity relay": 5,
    "kill customers work": 5,
    "kill identity work": 3,
    "freeze probe work": 4,
    "freeze the broker": 4,
    "half-open to the broker": 5,
    "half-open to PostgreSQL": 5,
    "kill the broker": 2,
    "kill PostgreSQL": 3,
}


@dataclass
class Storm:
    """Goes on until it is told to stop, and then leaves everything running."""

    chain: Chain
    seed: int
    most: int
    counted: Counter[str] = field(default_factory=Counter)
    pausing: threading.Event = field(default_factory=threading.Event)

    def goes_on(self) -> bool:
        return self.counted.total() < self.most

    def rage(self, *, until: Callable[[], bool], due: Callable[[int], bool]) -> Iterator[int]:
        """Do harm so many times, each when it is due, at most until something is over; counts.

        Each kind comes once before chance decides.
        """
        chosen = random.Random(self.seed)
        first = list(WEIGHTS)
        chosen.shuffle(first)
        self.pausing.wait(SETTLING_S)
        while self.goes_on() and not until():
            self.pausing.wait(chosen.uniform(*GAP_S))
            while not due(self.counted.total()) and not until():
                self.pausing.wait(LOOKING_S)
            name = first.pop() if first else chosen.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            self._strike(name, chosen)
            self.counted[name] += 1
            yield self.counted.total()

    def _strike(self, name: str, chosen: random.Random) -> None:
        verb, _, whom = name.partition(" ")
        if whom in self.chain.members:
            member = self.chain.members[whom]
            if verb == "kill":
                member.send(signal.SIGKILL)
            else:
                self._for_a_while(chosen, lambda: member.send(signal.SIGSTOP), lambda: member.send(signal.SIGCONT))
            return
        broker, postgres = self.chain.servers.broker, self.chain.servers.postgres
        match name:
            case "freeze the broker":
                self._for_a_while(chosen, broker.freeze, broker.thaw)
            case "kill the broker":
                broker.end(signal.SIGKILL)
                broker.start()
            case "kill PostgreSQL":
                # What PostgreSQL calls an immediate shutdown: it recovers from its log.
                postgres.end(signal.SIGQUIT)
                postgres.start()
            case "half-open to the broker":
                # Never mended: each process must leave the silent connection by itself.
                self.chain.to_broker.silence()
            case "half-open to PostgreSQL":
                self._for_a_while(chosen, self.chain.to_postgres.silence, self.chain.to_postgres.cut)

    def _for_a_while(self, chosen: random.Random, begin: Callable[[], None], end: Callable[[], None]) -> None:
        with suppress(ProcessLookupError):
            begin()
            self.pausing.wait(chosen.uniform(*FROZEN_S))
            end()
