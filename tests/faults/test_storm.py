"""The storm: many write, everything that can break does, and afterwards each answer has its row, audit row and effect.

FAULTS_WRITES and FAULTS set how many writes and how many faults there are at least, FAULTS_SEED which.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from .long_work import LongWork
from .phones import Ledger, signed_in, write_all
from .scene import Scene
from .storm import WEIGHTS, Storm

WRITES = int(os.environ.get("FAULTS_WRITES", "400"))
# Each kind comes once before chance decides.
FAULTS = int(os.environ.get("FAULTS", str(len(WEIGHTS) + 1)))
SEED = int(os.environ.get("FAULTS_SEED", "7"))
PHONES = 12
IMPORTED = 300 + WRITES // 5
TOLD_EVERY = 10


@pytest.mark.timeout(300 + WRITES // 4)
def test_every_answer_has_one_row_one_audit_row_and_one_effect(scene: Scene, tally: Callable[..., None]) -> None:
    storm, before = Storm(scene.chain, SEED, FAULTS), scene.ledger.writes

    def written() -> int:
        return scene.ledger.writes - before

    with ThreadPoolExecutor(1) as writing, giving_up(scene.ledger):
        answered = writing.submit(lambda: asyncio.run(everything(scene, storm, before + WRITES)))
        # Here, since a server ends with the thread that started it.
        for number in storm.rage(until=answered.done, due=lambda number: written() * FAULTS >= WRITES * number):
            if number % TOLD_EVERY == 0:
                print(f"{number} of {FAULTS} faults, {written():,} of {WRITES:,} writes", flush=True)  # noqa: T201
        exported = answered.result()
    assert scene.ledger.surprises == []
    off = scene.closed(trails=True)
    tally("storm", "writes", asked=WRITES, counted=written())
    tally("storm", "faults", asked=FAULTS, counted=storm.counted.total(), of=dict(storm.counted))
    tally("storm", "requests asked again", counted=scene.ledger.asked_again)
    tally("storm", "imported and exported rows", asked=scene.imported, counted=exported)
    tally("storm", "counts that are off", asked=0, counted=sum(off.values()), of=off)
    assert off == {}
    assert exported == scene.imported
    assert (written() >= WRITES, storm.counted.total() >= FAULTS) == (True, True)


@contextmanager
def giving_up(ledger: Ledger) -> Iterator[None]:
    """Have phones ask no longer where the storm itself fails, so that the test ends."""
    try:
        yield
    except BaseException:
        ledger.given_up = True
        raise


async def everything(scene: Scene, storm: Storm, writes: int) -> int:
    """Write, import and export until all has been answered for and the storm is over; the rows exported."""
    async with asyncio.TaskGroup() as group:
        amount = {"writes": writes, "phones": PHONES, "seed": SEED}
        group.create_task(write_all(scene.chain, scene.ledger, scene.line, **amount, meanwhile=storm.goes_on))
        work = group.create_task(long_work(scene))
    return work.result()


async def long_work(scene: Scene) -> int:
    async with signed_in(scene.chain, "salesperson_s", scene.ledger, line=scene.line) as phone:
        done = await LongWork(phone).import_(IMPORTED)
        assert done["progress"]["created"] == IMPORTED, done
    scene.imported += IMPORTED
    async with signed_in(scene.chain, "manager_s", scene.ledger) as phone:
        return len(await LongWork(phone).export())
