"""Requests that one service can only answer when it is told what another knows: the gateway asks that one first."""

from collections.abc import Awaitable, Callable
from typing import Any

from gateway import catalogue
from gateway.catalogue import Rpc
from gateway.client import Client
from gateway.problems import Problem
from gateway.visits import Visit
from tongxiao.common.v1 import audit_pb2
from tongxiao.customers.v1 import customer_pb2

AWAY = 503

Complete = Callable[[Client, Visit, Rpc, Any], Awaitable[None]]
# Which service keeps the heads of another's audit chain; identity, where none is named.
WITNESSES = {"identity": "customers"}


async def _anchors(client: Client, visit: Visit, rpc: Rpc, request: Any) -> None:
    """Tell a service what its witness keeps of its audit chain; nothing while that one is away."""
    witness = WITNESSES.get(rpc.service, "identity")
    asked = next(
        each for each in catalogue.rpcs() if each.service == witness and each.method.name == "ListAuditAnchors"
    )
    wanted = audit_pb2.ListAuditAnchorsRequest(service=rpc.service, after_seal=request.after_seal)
    try:
        reply = await client.ask(visit, asked, wanted)
    except Problem as problem:
        if problem.status != AWAY:
            raise
        return
    told = audit_pb2.ListAuditAnchorsResponse.FromString(reply.to_binary())
    request.anchors.CopyFrom(told.anchors)


async def _places(client: Client, visit: Visit, _rpc: Rpc, request: Any) -> None:
    """Tell identity where the customer lies that somebody's rights are asked about."""
    if request.customer_id:
        rpc = catalogue.find("CustomersService.ExplainCustomerAccess")
        wanted = customer_pb2.ExplainCustomerAccessRequest(
            customer_id=request.customer_id, person_id=request.employee_id, permission=request.permission
        )
        reply = await client.ask(visit, rpc, wanted)
        told = customer_pb2.ExplainCustomerAccessResponse.FromString(reply.to_binary())
        request.places.extend(told.places)


COMPLETIONS: dict[str, Complete] = {"ExplainAccess": _places, "VerifyAudit": _anchors}
