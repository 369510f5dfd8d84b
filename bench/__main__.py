"""python -m bench [CUSTOMERS…]: measure, and write bench/RESULTS.md. Needs the servers of `make parts`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from bench import data, rpc, scale
from chassis import clock
from chassis.database import connect
from chassis.testing.environment import find

SIZES = (10_000, 100_000, 1_000_000)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    server = find().postgres_url.rpartition("/")[0]
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on {clock.now():%Y-%m-%d}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} "
        "at the start. Compare within this page only.",
    ]
    lines += ["", "## A page of customers, as the number of customers grows", ""]
    lines += ["5,000 units; every salesperson holds 200.", "", "| customers | who | page | p50 ms | p95 ms | blocks |"]
    lines.append("|---|---|---|---|---|---|")
    ratios: dict[str, tuple[float, float, float]] = {}
    for size in sizes:
        print(f"{size:,} customers …", flush=True)
        with _filled(server, size) as url:
            engine = connect(url, name="bench", pool_size=3)
            for who, page, p50, p95, blocks in scale.measure(engine):
                lines.append(f"| {size:,} | {who} | {page} | {p50:.1f} | {p95:.1f} | {blocks:,} |")
            engine.dispose()
            if size == sizes[0]:
                ratios = rpc.measure(url)
    lines += ["", "## CPU of an RPC beside bare grpcio and SQLAlchemy Core", ""]
    lines += ["The same predicate and message; medians of five paired rounds. Asked: at most 2.", ""]
    lines += ["| RPC | product ms | bare ms | ratio |", "|---|---|---|---|"]
    lines += [f"| {name} | {p:.2f} | {b:.2f} | {ratio:.2f} |" for name, (p, b, ratio) in ratios.items()]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def _filled(server: str, size: int) -> Iterator[str]:
    """A database of so many customers, dropped at the end."""
    name = sql.Identifier(f"bench_{size}")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    url = f"{server}/bench_{size}".replace("postgresql://", "postgresql+psycopg://")
    engine = connect(url, name="bench", pool_size=2)
    data.fill(engine, size)
    engine.dispose()
    yield url
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


main()
