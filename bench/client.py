"""A cheap HTTP client: `python -m bench.client PORT CONNECTIONS SECONDS < requests`, a process of its own.

Requests come as JSON, whole and as they go over the wire; each connection sends its share of them round and round,
one at a time. Prints operations, milliseconds (p50, p95) and its own CPU, as JSON. Any status but 2xx ends it.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Any

import uvloop

WARM_S, LATEST_S = 1.0, 20.0


class Connection(asyncio.Protocol):
    """Sends its requests one after the other until the end, and keeps the time of each."""

    def __init__(self, requests: list[bytes], until: float, done: "asyncio.Future[None]") -> None:
        self._requests, self._until, self._done = requests, until, done
        self._next, self._began, self._buffer = 0, 0.0, b""
        self.times: list[tuple[float, float]] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._buffer.index(b"content-length: ") + 16
        if len(self._buffer) < head + 4 + int(self._buffer[at : self._buffer.index(b"\r", at)]):
            return
        if self._buffer[9:10] != b"2":
            self._done.set_exception(RuntimeError(self._buffer[:2000].decode()))
            return
        now, self._buffer = time.perf_counter(), b""
        self.times.append((self._began, now - self._began))
        if now < self._until:
            self._send()
        elif not self._done.done():
            self._done.set_result(None)

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1


async def main() -> None:
    port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests = [text.encode() for text in json.load(sys.stdin)]
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    made = []
    for number in range(count):
        own = requests[number::count] or requests
        done: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            lambda own=own, done=done: Connection(own, begun + WARM_S + seconds, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        made.append((protocol, done))
    await asyncio.sleep(begun + WARM_S - time.perf_counter())
    print("warm", flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.wait_for(asyncio.gather(*(done for _, done in made)), seconds + LATEST_S)
    after = resource.getrusage(resource.RUSAGE_SELF)
    times = sorted(took for protocol, _ in made for start, took in protocol.times if start >= begun + WARM_S)
    told = {
        "operations": len(times),
        "seconds": seconds,
        "p50": times[len(times) // 2] * 1000,
        "p95": times[int(len(times) * 0.95)] * 1000,
        "cpu": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000,
    }
    print(json.dumps(told))


uvloop.run(main())
