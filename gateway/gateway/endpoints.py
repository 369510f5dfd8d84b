"""The routes nobody writes: one endpoint per binding of an RPC."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from protobuf import Message as Reply

from gateway import answers, bindings, catalogue, etags, replies, requests
from gateway.answers import Answer
from gateway.bindings import Binding
from gateway.client import Client
from gateway.completions import COMPLETIONS
from gateway.problems import Problem
from gateway.templates import Template, Tree
from gateway.visits import Visit


class Target(Protocol):
    """What answers an address. `open` ones need nobody signed in."""

    @property
    def template(self) -> Template: ...

    @property
    def open(self) -> bool: ...

    async def answer(self, visit: Visit, values: list[str]) -> Answer: ...


@dataclass(frozen=True)
class Pace:
    """Seconds a request may take."""

    read: float
    write: float


class Endpoint:
    """Serves one binding: request in, RPC, reply out."""

    def __init__(self, binding: Binding, client: Client, pace: Pace) -> None:
        self.template, self.open = binding.template, binding.rpc.open
        self._binding, self._client = binding, client
        self._seconds = pace.read if binding.rpc.reads else pace.write
        self._compose = requests.composer(binding)
        self._complete = COMPLETIONS.get(binding.rpc.method.name)
        self._tagged = "etag" in binding.rpc.method.output_type.fields_by_name

    async def answer(self, visit: Visit, values: list[str]) -> Answer:
        visit.allow(self._seconds)
        message = await self._compose(visit.request, values)
        try:
            if self._complete:
                await self._complete(self._client, visit, self._binding.rpc, message)
            reply = await self._client.ask(visit, self._binding.rpc, message)
        except Problem as problem:
            raise problem.inside(self._binding.body) from None
        if self._binding.empty:
            return Answer(204, headers=[answers.NEVER_STORE])
        return self._answer(visit, reply)

    def _answer(self, visit: Visit, reply: Reply) -> Answer:
        reading = self._binding.verb == "GET"
        headers = [answers.REVALIDATE if reading or self._tagged else answers.NEVER_STORE]
        etag = replies.value(reply, "etag") if self._tagged else ""
        if etag:
            headers.append((b"etag", etags.tag(etag).encode("ascii")))
            if reading and etags.held(visit.header(b"if-none-match"), etag):
                return Answer(304, headers=headers)
        if self._binding.creates:
            headers.append((b"location", _location(visit, reply)))
        return Answer(201 if self._binding.creates else 200, replies.encoded(reply), headers)


def served() -> Iterator[Binding]:
    """Every binding of every service."""
    for rpc in catalogue.rpcs():
        yield from bindings.of(rpc)


def add(tree: Tree[Target], client: Client, pace: Pace) -> None:
    """Serve every binding."""
    for binding in served():
        tree.add(binding.template, binding.verb, Endpoint(binding, client, pace))


def _location(visit: Visit, reply: Reply) -> bytes:
    return f"{visit.request.url.path}/{quote(replies.value(reply, 'id'))}".encode()
