"""A client that keeps a pace: `python -m bench.pacing PORT RATE SECONDS CONNECTIONS < requests`, a process of its own.

Requests come as JSON, each with its kind. Each is due at its moment, whatever became of those before; its time counts
from then. Prints, as JSON, a list of [kind, due, took, status, whether Retry-After came].
"""

import asyncio
import json
import random
import sys
import time
from itertools import count

import uvloop

PATIENCE_S = 20.0


async def main() -> None:
    port, rate, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    requests = [(kind, text.encode()) for kind, text in json.load(sys.stdin)]
    random.Random(1).shuffle(requests)
    numbers, began, told = count(), time.perf_counter(), []
    end = began + seconds

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (due := began + (number := next(numbers)) / rate) < end and time.perf_counter() < end:
            await asyncio.sleep(due - time.perf_counter())
            kind, text = requests[number % len(requests)]
            try:
                writer.write(text)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length or 0))
                status, asked = int(head[9:12]), b"retry-after" in head.lower()
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                status, asked = 0, False
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            told.append((kind, round(due - began, 3), time.perf_counter() - due, status, asked))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    print(json.dumps(told))


uvloop.run(main())
