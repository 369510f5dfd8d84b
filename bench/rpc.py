"""CPU of an RPC beside the same by hand on bare grpcio and SQLAlchemy Core, and of a REST call beside its RPC."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import grpc
import httpx

from bench import cpu, data, stage
from bench.filling import filled
from bench.stage import Stage
from bench.table import Section, table
from chassis.pipeline import PASSPORT
from tongxiao.customers.v1 import customer_pb2 as pb
from tongxiao.customers.v1 import customer_pb2_grpc

CUSTOMERS, CALLS, ROUNDS = 10_000, 200, 5
WHO = data.SALESPERSON


@dataclass(frozen=True)
class Subject:
    """An RPC and the address that stands for it."""

    name: str
    rpc: Callable[[Any, Any], Any]
    address: str


def measure() -> Section:
    with filled(data.WIDE, CUSTOMERS) as database, stage.opened(database) as on, _bare(database.url("owner")) as bare:
        with on.stub() as stub, on.http(WHO) as http:
            http.headers["Accept-Encoding"] = "identity"
            passport = ((PASSPORT, on.passport(WHO)),)
            subjects = _subjects(stub, passport)
            rounds: dict[str, list[tuple[float, float, float]]] = {subject.name: [] for subject in subjects}
            for _ in range(ROUNDS + 1):
                for subject in subjects:
                    rounds[subject.name].append(_round(on, subject, stub, passport, bare, http))
    heads = ["RPC", "its ms", "bare ms", "RPC / bare, asked ≤ 2", "REST ms", "REST / RPC, asked ≤ 2"]
    told = f"Salesperson's call; medians of {ROUNDS} rounds by turns. REST: gateway and service together."
    return Section("CPU of a call", told, table(heads, [_row(name, found[1:]) for name, found in rounds.items()]))


def _row(name: str, found: list[tuple[float, float, float]]) -> list[str]:
    rpc, bare, rest = (median(each) for each in zip(*found, strict=True))
    by_bare, by_rpc = median(r / b for r, b, _ in found), median(h / r for r, _, h in found)
    return [name, f"{rpc:.2f}", f"{bare:.2f}", f"{by_bare:.2f}", f"{rest:.2f}", f"{by_rpc:.2f}"]


def _subjects(stub: Any, passport: Any) -> list[Subject]:
    id_ = stub.ListCustomers(pb.ListCustomersRequest(), metadata=passport).customers[0].id
    get, list_ = pb.GetCustomerRequest(id=id_), pb.ListCustomersRequest()
    return [
        Subject("GetCustomer", lambda on, who: on.GetCustomer(get, metadata=who), f"/v1/customers/{id_}"),
        Subject("ListCustomers", lambda on, who: on.ListCustomers(list_, metadata=who), "/v1/customers"),
    ]


def _round(
    on: Stage, subject: Subject, stub: Any, passport: Any, bare: tuple[int, Any], http: httpx.Client
) -> tuple[float, float, float]:
    """Milliseconds of CPU a call: of the RPC, of the same by hand, of the REST call."""
    who, services = (("person", str(WHO.id)), ("unit", str(WHO.unit))), [one.pid for one in on.customers]
    return (
        _spent(services, lambda: subject.rpc(stub, passport)),
        _spent([bare[0]], lambda: subject.rpc(bare[1], who)),
        _spent([on.gateway.pid, *services], lambda: http.get(subject.address).raise_for_status()),
    )


def _spent(pids: list[int], call: Callable[[], object]) -> float:
    before = sum(map(cpu.of_process, pids))
    for _ in range(CALLS):
        call()
    return (sum(map(cpu.of_process, pids)) - before) / CALLS


@contextmanager
def _bare(url: str) -> Iterator[tuple[int, Any]]:
    command = [sys.executable, "-m", "bench.bare", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process.pid, customer_pb2_grpc.CustomersServiceStub(channel)
        process.terminate()
