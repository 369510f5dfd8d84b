"""The services behind the gateway, over gRPC: several connections to each, a deadline on every call."""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from protobuf import Message as Reply

from chassis import status
from chassis.errors import refuse
from gateway import problems, replies
from gateway.catalogue import Rpc, rpcs
from gateway.problems import Problem

Metadata = Sequence[tuple[str, str]]
Known = Callable[[str], bool]

# How long a record may take to arrive that the person asking has just made; and one that others may have.
PATIENCE_S, SHORT_PATIENCE_S = 2.0, 0.4
PAUSES_S = (0.05, 0.1, 0.2, 0.4)

OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.lb_policy_name", "round_robin"),
    # Else all channels to one address would share a connection, and stick to one of its processes.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)


class Upstream:
    """Calls RPCs by their descriptors."""

    def __init__(self, targets: Mapping[str, str], *, channels: int) -> None:
        self._channels = {
            service: [grpc.aio.insecure_channel(target, options=OPTIONS) for _ in range(channels)]
            for service, target in targets.items()
        }
        self._callers = {rpc.path: itertools.cycle(self._stubs(rpc)) for rpc in rpcs() if rpc.service in targets}

    async def call(
        self, rpc: Rpc, request: Message, *, metadata: Metadata, seconds: float, is_made: Known = lambda _: False
    ) -> Reply:
        """The RPC's reply; raises the Problem it was refused for.

        Waits for records that a change names and that are too fresh to be known everywhere, the longer for those that
        `is_made` says the caller has made; then they are NOT_FOUND. What is read lies where it is asked for, if at all.
        """
        began = time.monotonic()
        for pause in itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1])):
            try:
                return await self._call(rpc, request, metadata, began + seconds - time.monotonic())
            except Problem as problem:
                if problem.reason != "NOT_YET_KNOWN":
                    raise
                patience = PATIENCE_S if is_made(problem.refusal.metadata.get("id", "")) else SHORT_PATIENCE_S
            if rpc.reads or time.monotonic() + pause > began + min(patience, seconds):
                break
            await asyncio.sleep(pause)
        raise problems.of_error(refuse("NOT_FOUND"))

    async def close(self) -> None:
        for channel in itertools.chain.from_iterable(self._channels.values()):
            await channel.close()

    async def _call(self, rpc: Rpc, request: Message, metadata: Metadata, seconds: float) -> Reply:
        """One try; a read that found no connection is tried over another, once."""
        try:
            return await self._try(rpc, request, metadata, seconds)
        except grpc.aio.AioRpcError as error:
            if not (rpc.reads and _unconnected(error)):
                raise _problem(error) from error
        try:
            return await self._try(rpc, request, metadata, seconds)
        except grpc.aio.AioRpcError as error:
            raise _problem(error) from error

    async def _try(self, rpc: Rpc, request: Message, metadata: Metadata, seconds: float) -> Reply:
        reply: Reply = await next(self._callers[rpc.path])(request, timeout=seconds, metadata=metadata)
        return reply

    def _stubs(self, rpc: Rpc) -> list[Any]:
        write, read = rpc.request.SerializeToString, replies.kind(rpc.method.output_type).from_binary
        channels = self._channels[rpc.service]
        return [
            channel.unary_unary(rpc.path, request_serializer=write, response_deserializer=read) for channel in channels
        ]


def _unconnected(error: grpc.aio.AioRpcError) -> bool:
    return error.code() == grpc.StatusCode.UNAVAILABLE and not status.read(error).domain


def _problem(error: grpc.aio.AioRpcError) -> Problem:
    return problems.of_refusal(status.read(error))
