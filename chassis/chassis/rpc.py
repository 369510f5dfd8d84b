"""What an RPC declares about itself: permission, access, and how its function is found."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from chassis.errors import Refusals, refuse
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1.permission_pb2 import Permission

Access = options_pb2.Access


@dataclass(frozen=True)
class Api:
    """A proto service and the module whose functions, named in snake case, serve its RPCs.

    `constraints` names the refusal that each violated database constraint means: name → (reason, field).
    """

    service: ServiceDescriptor
    module: ModuleType
    refuse: Refusals = refuse
    constraints: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rpc:
    """One RPC, as its proto declares it."""

    path: str
    name: str
    function: Callable[..., Any]
    request: type[Message]
    response: type[Message]
    permission: Permission.ValueType
    read_permission: Permission.ValueType
    access: options_pb2.Access.ValueType
    signed_in: bool
    open: bool
    internal: bool
    streaming: bool
    autocommit: bool
    refuse: Refusals
    constraints: dict[str, tuple[str, str]]

    @property
    def writes(self) -> bool:
        return self.access != Access.ACCESS_READ


def one_statement(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an RPC's function as reading at one moment by itself: it needs no snapshot, and saves two round trips."""
    function.autocommit = True  # type: ignore[attr-defined]
    return function


def rpcs(apis: Iterable[Api]) -> list[Rpc]:
    """Every RPC of the APIs; TypeError names one without a rule or without a function."""
    return [_rpc(api, method) for api in apis for method in api.service.methods]


def one(api: Api, name: str) -> Rpc:
    """The RPC of this name."""
    return _rpc(api, api.service.methods_by_name[name])


def _rpc(api: Api, method: MethodDescriptor) -> Rpc:
    options = method.GetOptions().Extensions[options_pb2.rpc]
    if sum(map(bool, (options.permission, options.signed_in, options.open, options.internal))) != 1:
        raise TypeError(f"{method.full_name} must declare exactly one of permission, signed_in, open and internal")
    if not options.access:
        raise TypeError(f"{method.full_name} declares no access")
    function = getattr(api.module, snake_case(method.name), None)
    if function is None:
        raise TypeError(f"{api.module.__name__} has no function {snake_case(method.name)} for {method.full_name}")
    return Rpc(
        path=f"/{api.service.full_name}/{method.name}",
        name=method.name,
        function=function,
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        permission=options.permission,
        read_permission=read_permission(options.permission),
        access=options.access,
        signed_in=options.signed_in,
        open=options.open,
        internal=options.internal,
        streaming=bool(method.server_streaming),
        autocommit=getattr(function, "autocommit", False),
        refuse=api.refuse,
        constraints=api.constraints,
    )


def read_permission(permission: Permission.ValueType) -> Permission.ValueType:
    """The permission to read what `permission` acts on: `customer.read` for `customer.update`."""
    resource = Permission.Name(permission).rsplit("_", 1)[0]
    return dict(Permission.items()).get(f"{resource}_READ", permission)


@cache
def reasons() -> Mapping[str, list[str]]:
    """What each RPC may refuse a request for, by its full name: see protos/reasons.py."""
    found: dict[str, list[str]] = json.loads((resources.files("tongxiao") / "reasons.json").read_text("utf-8"))
    return found


def permission_name(permission: Permission.ValueType) -> str:
    """`contact_record.read` for PERMISSION_CONTACT_RECORD_READ."""
    resource, action = Permission.Name(permission).removeprefix("PERMISSION_").lower().rsplit("_", 1)
    return f"{resource}.{action}"


def snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
