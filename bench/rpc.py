"""CPU of an RPC against the same by hand on bare grpcio and SQLAlchemy Core: asked is at most twice."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import grpc
from joserfc.jwk import RSAKey

from bench import data
from chassis import clock, passport
from chassis.caller import Caller, FieldAccess, Grant
from chassis.pipeline import PASSPORT
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import customer_pb2 as pb
from tongxiao.customers.v1 import customer_pb2_grpc

CALLS, ROUNDS = 400, 5
TICKS = os.sysconf("SC_CLK_TCK")


def measure(url: str) -> dict[str, tuple[float, float, float]]:
    """RPC to (product's ms of CPU, bare's, ratio): medians of paired rounds."""
    key = RSAKey.generate_key(2048, {"kid": "bench"}, private=True)
    person = data.PEOPLE[0]
    tokens = {"product": (PASSPORT, passport.sign(_caller(person), key))}
    bare = (("person", str(person.id)), ("unit", str(person.unit)))
    found: dict[str, list[tuple[float, float]]] = {"GetCustomer": [], "ListCustomers": []}
    public = json.dumps(key.as_dict(private=False))
    with _server("product", url, public) as product, _server("bare", url, public) as by_hand:
        sides = ((product, (tokens["product"],)), (by_hand, bare))
        for _ in range(ROUNDS + 1):
            for name, call in CALLS_OF.items():
                first, second = (_cpu(server, call, metadata) for server, metadata in sides)
                found[name].append((first, second))
    return {name: _median(pairs[1:]) for name, pairs in found.items()}


def _median(pairs: list[tuple[float, float]]) -> tuple[float, float, float]:
    return median(p for p, _ in pairs), median(b for _, b in pairs), median(p / b for p, b in pairs)


def _get(stub: Any, metadata: Any) -> None:
    stub.GetCustomer(pb.GetCustomerRequest(id=str(data.customer(0))), metadata=metadata)


def _list(stub: Any, metadata: Any) -> None:
    assert len(stub.ListCustomers(pb.ListCustomersRequest(), metadata=metadata).customers) >= 50


CALLS_OF: dict[str, Callable[[Any, Any], None]] = {"GetCustomer": _get, "ListCustomers": _list}


def _cpu(server: tuple[int, Any], call: Callable[[Any, Any], None], metadata: Any) -> float:
    """Milliseconds of CPU that a server's process spends a call."""
    pid, stub = server
    for _ in range(20):
        call(stub, metadata)
    before = _spent(pid)
    calls = CALLS if call is _get else CALLS // 4
    for _ in range(calls):
        call(stub, metadata)
    return (_spent(pid) - before) / calls


def _spent(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


@contextmanager
def _server(kind: str, url: str, key: str) -> Iterator[tuple[int, Any]]:
    command = [sys.executable, "-m", "bench.servers", kind, url, key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process.pid, customer_pb2_grpc.CustomersServiceStub(channel)
        process.terminate()


def _caller(person: data.Person) -> Caller:
    fields = {"customer.phones": FieldAccess.EDIT}
    grant = Grant(
        post_id=person.id,
        unit_id=person.unit,
        governs=(person.governs,) if person.governs else (),
        permissions=frozenset({int(PERMISSION_CUSTOMER_READ)}),
        field_rights=fields,
    )
    now = clock.now()
    return Caller(
        person_id=person.id,
        session_id="bench",
        grants=(grant,),
        issued_at=now,
        expires_at=now + timedelta(minutes=60),
    )
