"""CustomersService: message → arguments → operation → message."""

from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.customer import access, operations, queries, search_queries, sharing
from customers.customer.attributes import ATTRIBUTES, attributes
from customers.customer.messages import customer_message, customer_messages, period_message, share_message
from customers.customer.operations import Wanted
from customers.home.api import get_customer_summary as get_customer_summary
from customers.home.api import get_unit_figures as get_unit_figures
from customers.overview.api import get_customer_overview as get_customer_overview
from tongxiao.customers.v1 import customer_pb2 as pb


@one_statement
def get_customer(request: pb.GetCustomerRequest, call: Call) -> pb.Customer:
    customer = queries.get_customer(call.session, UUID(request.id), deleted=request.show_deleted)
    return customer_message(customer, call)


@one_statement
def list_customers(request: pb.ListCustomersRequest, call: Call) -> pb.ListCustomersResponse:
    found, token = queries.list_customers(call, request)
    return pb.ListCustomersResponse(customers=customer_messages(found, call), next_page_token=token)


@one_statement
def search_customers(request: pb.SearchCustomersRequest, call: Call) -> pb.SearchCustomersResponse:
    found, token = search_queries.search_customers(call, request)
    return pb.SearchCustomersResponse(customers=customer_messages(found, call), next_page_token=token)


@one_statement
def count_customers(request: pb.CountCustomersRequest, call: Call) -> pb.CountCustomersResponse:
    count, more = queries.count_customers(call, request)
    return pb.CountCustomersResponse(count=count, more=more)


def create_customer(request: pb.CreateCustomerRequest, call: Call) -> pb.Customer:
    given = request.customer
    customer = operations.create_customer(
        call,
        customer_id=parse_id(given.id),
        given=attributes(given, ATTRIBUTES),
        assignments=[
            Wanted(UUID(wanted.line_id), parse_id(wanted.owner_id), parse_id(wanted.unit_id))
            for wanted in given.assignments
        ],
        allow_duplicate_phone=request.allow_duplicate_phone,
    )
    return customer_message(customer, call)


def update_customer(request: pb.UpdateCustomerRequest, call: Call) -> pb.Customer:
    given = request.customer
    names = masks.named_fields(given, request.update_mask, allowed=ATTRIBUTES)
    changes = attributes(given, names)
    customer = operations.update_customer(
        call,
        customer_id=UUID(given.id),
        etag=given.etag,
        changes=changes,
        allow_duplicate_phone=request.allow_duplicate_phone,
    )
    return customer_message(customer, call)


def delete_customer(request: pb.DeleteCustomerRequest, call: Call) -> Empty:
    operations.delete_customer(call, customer_id=UUID(request.id), etag=request.etag)
    return Empty()


def restore_customer(request: pb.RestoreCustomerRequest, call: Call) -> pb.Customer:
    return customer_message(operations.restore_customer(call, customer_id=UUID(request.id)), call)


def reassign_customer(request: pb.ReassignCustomerRequest, call: Call) -> pb.Customer:
    customer = operations.reassign_customer(
        call,
        customer_id=UUID(request.id),
        line_id=UUID(request.line_id),
        owner_id=UUID(request.owner_id),
        unit_id=parse_id(request.unit_id),
        note=request.note,
        etag=request.etag,
    )
    return customer_message(customer, call)


def list_assignment_history(request: pb.ListAssignmentHistoryRequest, call: Call) -> pb.ListAssignmentHistoryResponse:
    found, token = queries.list_periods(call, request)
    return pb.ListAssignmentHistoryResponse(periods=[period_message(period) for period in found], next_page_token=token)


def create_share(request: pb.CreateShareRequest, call: Call) -> pb.Share:
    given = request.share
    share = sharing.create_share(
        call,
        share_id=parse_id(given.id),
        customer_id=UUID(given.customer_id),
        person_id=UUID(given.person_id),
        level=given.level,
        end_date=given.end_date,
        note=given.note,
    )
    return share_message(share)


def list_shares(request: pb.ListSharesRequest, call: Call) -> pb.ListSharesResponse:
    found, token = queries.list_shares(call, request)
    return pb.ListSharesResponse(shares=[share_message(share) for share in found], next_page_token=token)


def explain_customer_access(request: pb.ExplainCustomerAccessRequest, call: Call) -> pb.ExplainCustomerAccessResponse:
    found = access.places(
        call,
        customer_id=UUID(request.customer_id),
        person_id=UUID(request.person_id),
        permission=request.permission,
    )
    return pb.ExplainCustomerAccessResponse(places=found)


def delete_share(request: pb.DeleteShareRequest, call: Call) -> Empty:
    sharing.delete_share(call, customer_id=UUID(request.customer_id), share_id=UUID(request.id))
    return Empty()
