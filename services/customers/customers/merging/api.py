"""MergesService: message → arguments → operation → message."""

from uuid import UUID

from chassis.call import Call
from chassis.rpc import snake_case
from customers.customer.messages import customer_message
from customers.merging import operations
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import merge_pb2 as pb


def merge_customer(request: pb.MergeCustomerRequest, call: Call) -> customer_pb2.Customer:
    customer = operations.merge_customer(
        call,
        winner_id=UUID(request.id),
        loser_id=UUID(request.loser_id),
        take_fields=[snake_case(name) for name in request.take_fields],
        take_line_ids=[UUID(line_id) for line_id in request.take_line_ids],
        etag=request.etag,
    )
    return customer_message(customer, call)


def unmerge_customer(request: pb.UnmergeCustomerRequest, call: Call) -> customer_pb2.Customer:
    return customer_message(operations.unmerge_customer(call, customer_id=UUID(request.id)), call)
