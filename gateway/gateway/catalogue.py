"""What the platform's services serve: every RPC of every proto package, found by its descriptor."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from tongxiao.common.v1 import options_pb2

# Each is a package tongxiao.<name>.v1 and, in the settings, a <name>_target.
SERVICES = ("identity", "customers")


@dataclass(frozen=True)
class Rpc:
    """One unary RPC, and the service that answers it."""

    service: str
    method: MethodDescriptor
    request: type[Message]
    reply: type[Message]
    reads: bool
    open: bool
    # Takes a permission that one of the caller's posts must give.
    permitted: bool

    @property
    def path(self) -> str:
        return f"/{self.method.containing_service.full_name}/{self.method.name}"


@cache
def rpcs() -> tuple[Rpc, ...]:
    """Every unary RPC that people or the gateway may call; those between processes are left out."""
    return tuple(
        rpc for service in SERVICES for descriptor in _descriptors(service) for rpc in _rpcs(service, descriptor)
    )


@cache
def find(name: str) -> Rpc:
    """The RPC with a name such as `CustomersService.GetCustomer`."""
    return next(rpc for rpc in rpcs() if f"{rpc.method.containing_service.name}.{rpc.method.name}" == name)


def _descriptors(service: str) -> Iterator[ServiceDescriptor]:
    package = importlib.import_module(f"tongxiao.{service}.v1")
    for found in pkgutil.iter_modules(package.__path__):
        if found.name.endswith("_pb2"):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            yield from module.DESCRIPTOR.services_by_name.values()


def _rpcs(service: str, descriptor: ServiceDescriptor) -> Iterator[Rpc]:
    for method in descriptor.methods:
        options = method.GetOptions().Extensions[options_pb2.rpc]
        if options.internal or method.server_streaming or method.client_streaming:
            continue
        yield Rpc(
            service=service,
            method=method,
            request=message_factory.GetMessageClass(method.input_type),
            reply=message_factory.GetMessageClass(method.output_type),
            reads=options.access == options_pb2.ACCESS_READ,
            open=options.open,
            permitted=bool(options.permission),
        )
