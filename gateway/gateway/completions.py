"""Requests that one service can only answer when it is told what another knows: the gateway asks that one first."""

from collections.abc import Awaitable, Callable
from typing import Any

from gateway import catalogue
from gateway.client import Client
from gateway.visits import Visit
from tongxiao.customers.v1 import customer_pb2

Complete = Callable[[Client, Visit, Any], Awaitable[None]]


async def _places(client: Client, visit: Visit, request: Any) -> None:
    """Tell identity where the customer lies that somebody's rights are asked about."""
    if request.customer_id:
        rpc = catalogue.find("CustomersService.ExplainCustomerAccess")
        wanted = customer_pb2.ExplainCustomerAccessRequest(
            customer_id=request.customer_id, person_id=request.employee_id, permission=request.permission
        )
        reply = await client.ask(visit, rpc, wanted)
        told = customer_pb2.ExplainCustomerAccessResponse.FromString(reply.to_binary())
        request.places.extend(told.places)


COMPLETIONS: dict[str, Complete] = {"ExplainAccess": _places}
