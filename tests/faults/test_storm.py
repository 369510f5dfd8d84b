"""The storm: many write, everything that can break does, and afterwards each answer has its row, audit row and effect.

FAULTS_WRITES and FAULTS set how many writes and how many faults there are, FAULTS_SEED which.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from . import books
from .chain import Chain
from .long_work import LongWork
from .phones import Ledger, new_line, signed_in, write_all
from .storm import Storm

WRITES = int(os.environ.get("FAULTS_WRITES", "1500"))
FAULTS = int(os.environ.get("FAULTS", "30"))
SEED = int(os.environ.get("FAULTS_SEED", "7"))
PHONES = 12
IMPORTED = max(600, WRITES // 5)


@pytest.fixture(scope="module")
def chain(open_chain: Callable[..., AbstractContextManager[Chain]]) -> Iterator[Chain]:
    with open_chain("storm") as found:
        yield found


@pytest.mark.timeout(0 if WRITES > 5000 else 300)
def test_every_answer_has_one_row_one_audit_row_and_one_effect(chain: Chain, tally: Callable[..., None]) -> None:
    ledger, storm = Ledger(), Storm(chain, SEED, FAULTS)
    line = asyncio.run(new_line(chain))
    with ThreadPoolExecutor(1) as writing:
        answered = writing.submit(lambda: asyncio.run(everything(chain, ledger, line, storm)))
        # Here, since a server ends with the thread that started it.
        storm.rage(until=answered.done)
        exported = answered.result()
    assert ledger.surprises == []
    books.settled(chain, 60)
    off = books.close(chain, ledger, imported=IMPORTED)
    tally("storm", "writes", asked=WRITES, counted=ledger.writes)
    tally("storm", "faults", asked=FAULTS, counted=storm.counted.total(), of=dict(storm.counted))
    tally("storm", "asked again", counted=ledger.asked_again)
    tally("storm", "imported and exported rows", asked=IMPORTED, counted=exported)
    tally("storm", "counts that are off", asked=0, counted=sum(off.values()), of=off)
    assert off == {}
    assert exported == IMPORTED
    assert (ledger.writes >= WRITES, storm.counted.total() >= FAULTS) == (True, True)


async def everything(chain: Chain, ledger: Ledger, line: str, storm: Storm) -> int:
    """Write, import and export until all has been answered for and the storm is over; the rows exported."""
    async with asyncio.TaskGroup() as group:
        group.create_task(
            write_all(chain, ledger, line, writes=WRITES, phones=PHONES, seed=SEED, meanwhile=storm.goes_on)
        )
        work = group.create_task(long_work(chain, ledger, line))
    return work.result()


async def long_work(chain: Chain, ledger: Ledger, line: str) -> int:
    async with signed_in(chain, "salesperson_s", ledger, line=line) as phone:
        done = await LongWork(phone).import_(IMPORTED)
        assert done["progress"]["created"] == IMPORTED, done
    async with signed_in(chain, "manager_s", ledger) as phone:
        return len(await LongWork(phone).export())
