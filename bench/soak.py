"""A day's mix at a steady pace, then twice what the chain can do: what it says then, and how soon it is well again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

from bench import chain, data, stage
from bench.filling import filled
from bench.stage import Stage
from bench.table import Section, table

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
PACE, CUSTOMERS, CONNECTIONS, OVERLOAD_S, AFTER_S = 150, 200_000, 64, 30, 20
# Shares of a hundred requests, by the chain's kinds of work.
MIX = {"W1 first page": 45, "W1 last page": 10, "W2": 15, "W3": 15, "W4": 5, "W5": 10}
WRITES = ("W4", "W5")
TOLD = (
    f"{CUSTOMERS:,} customers, one process of the gateway and {stage.CORES} of the service; of a hundred requests 55 "
    "are lists, 15 searches, 15 overviews, 15 writes. Times count from the moment a request is due."
)

Answer = tuple[str, float, float, int, bool]


def measure() -> Section:
    with filled(data.PEERS, CUSTOMERS) as database, stage.opened(database, processes=stage.CORES) as on:
        requests = _mixed(on)
        steady = _paced(on, requests, rate=PACE, seconds=MINUTES * 60)
        most = len(_paced(on, requests, rate=100_000, seconds=10)) / 10
        flood = _paced(on, requests, rate=2 * most, seconds=OVERLOAD_S, connections=600)
        after = _paced(on, requests, rate=PACE, seconds=AFTER_S)
    reads = [a for a in steady if not a[0].startswith(WRITES)]
    writes = [a for a in steady if a[0].startswith(WRITES)]
    refused = [a for a in flood if a[3] in (429, 503)]
    rows = [
        [f"reads at {PACE}/s for {MINUTES:.0f} min", "p95 < 300 ms", f"p95 {_p95(reads):.0f} ms of {len(reads):,}"],
        [f"writes at {PACE}/s", "p95 < 600 ms", f"p95 {_p95(writes):.0f} ms of {len(writes):,}"],
        ["answers but 2xx at that pace", "none", f"{sum(a[3] // 100 != 2 for a in steady)}"],
        ["most it can do", "", f"{most:.0f}/s"],
        [
            f"twice that for {OVERLOAD_S} s",
            "429/503 with Retry-After, no collapse",
            f"{sum(a[3] // 100 == 2 for a in flood) / OVERLOAD_S:.0f}/s served, "
            f"{len(refused) / OVERLOAD_S:.0f}/s refused, "
            f"{sum(not a[4] for a in refused)} of them without Retry-After, "
            f"{sum(a[3] // 100 == 5 and a[3] != 503 for a in flood)} other 5xx, {sum(a[3] == 0 for a in flood)} broken",
        ],
        ["well again after it", "within 10 s", f"{_recovered(after):.1f} s"],
    ]
    return Section("A day's mix, and twice too much", TOLD, table(["what", "asked", "measured"], rows))


def _mixed(on: Stage) -> list[tuple[str, str]]:
    works = {work.name: work.product for work in chain.works(on)}
    found = []
    for kind, share in MIX.items():
        product = next(product for name, product in works.items() if name.startswith(kind))
        found += [(kind, product[n % len(product)]) for n in range(share * 100)]
    return found


def _paced(
    on: Stage, requests: Sequence[tuple[str, str]], *, rate: float, seconds: float, connections: int = CONNECTIONS
) -> list[Answer]:
    port = on.address.rpartition(":")[2]
    command = [sys.executable, "-m", "bench.pacing", port, str(rate), str(seconds), str(connections)]
    print(f"  {rate:.0f}/s for {seconds:.0f} s …", flush=True)
    ran = subprocess.run(command, input=json.dumps(requests), stdout=subprocess.PIPE, text=True, check=True)
    return [tuple(answer) for answer in json.loads(ran.stdout)]


def _p95(answers: Iterable[Answer]) -> float:
    times = sorted(answer[2] for answer in answers)
    return times[int(len(times) * 0.95)] * 1000 if times else 0


def _recovered(after: Sequence[Answer]) -> float:
    """The second from which on every second's answers are 2xx and its p95 within 300 ms."""
    for second in range(AFTER_S):
        rest = [a for a in after if a[1] >= second]
        windows = ([a for a in rest if s <= a[1] < s + 1] for s in range(second, AFTER_S))
        if all(_p95(w) < 300 and all(a[3] // 100 == 2 for a in w) for w in windows if w):
            return float(second)
    return float("inf")
