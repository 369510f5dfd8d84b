"""CustomersService: message → arguments → operation → message."""

from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from chassis import fields, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.base import NEVER
from customers.customer import operations, queries
from customers.customer.model import Assignment, AssignmentPeriod, Customer, Share
from customers.customer.operations import Wanted
from customers.overview.api import get_customer_overview as get_customer_overview
from tongxiao.customers.v1 import customer_pb2 as pb

# Field of the message to attribute of the model; what stands here may be changed.
ATTRIBUTES = {
    **{name: name for name in ("name", "short_name", "name_en", "credit_code", "industry", "size", "tier", "source")},
    **{name: name for name in ("division_code", "address", "website", "phones", "tags", "parent_id", "note")},
    "custom_fields": "custom_fields",
    "next_contact_date": "next_contact_on",
}


@one_statement
def get_customer(request: pb.GetCustomerRequest, call: Call) -> pb.Customer:
    customer = queries.get_customer(call.session, UUID(request.id), deleted=request.show_deleted)
    return to_message(customer, call)


@one_statement
def list_customers(request: pb.ListCustomersRequest, call: Call) -> pb.ListCustomersResponse:
    found, token = queries.list_customers(call, request)
    return pb.ListCustomersResponse(customers=[to_message(customer, call) for customer in found], next_page_token=token)


@one_statement
def search_customers(request: pb.SearchCustomersRequest, call: Call) -> pb.SearchCustomersResponse:
    found, token = queries.search_customers(call, request)
    messages = [to_message(customer, call) for customer in found]
    return pb.SearchCustomersResponse(customers=messages, next_page_token=token)


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
    )
    return to_message(customer, call)


def update_customer(request: pb.UpdateCustomerRequest, call: Call) -> pb.Customer:
    given = request.customer
    names = masks.changed_fields(call, given, request.update_mask, allowed=ATTRIBUTES)
    changes = attributes(given, names)
    return to_message(
        operations.update_customer(call, customer_id=UUID(given.id), etag=given.etag, changes=changes), call
    )


def delete_customer(request: pb.DeleteCustomerRequest, call: Call) -> Empty:
    operations.delete_customer(call, customer_id=UUID(request.id), etag=request.etag)
    return Empty()


def restore_customer(request: pb.RestoreCustomerRequest, call: Call) -> pb.Customer:
    return to_message(operations.restore_customer(call, customer_id=UUID(request.id)), call)


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
    return to_message(customer, call)


def list_assignment_history(
    request: pb.ListAssignmentHistoryRequest, call: Call
) -> pb.ListAssignmentHistoryResponse:
    queries.get_customer(call.session, UUID(request.customer_id))
    periods = queries.periods_of(call.session, UUID(request.customer_id))
    return pb.ListAssignmentHistoryResponse(periods=[period_message(period) for period in periods])


def create_share(request: pb.CreateShareRequest, call: Call) -> pb.Share:
    given = request.share
    share = operations.create_share(
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
    queries.get_customer(call.session, UUID(request.customer_id))
    shares = queries.shares_of(call.session, UUID(request.customer_id))
    return pb.ListSharesResponse(shares=[share_message(share) for share in shares])


def delete_share(request: pb.DeleteShareRequest, call: Call) -> Empty:
    operations.delete_share(call, customer_id=UUID(request.customer_id), share_id=UUID(request.id))
    return Empty()


def attributes(given: pb.Customer, names: Any) -> dict[str, Any]:
    """The values of fields, in the types the model keeps."""
    found: dict[str, Any] = {ATTRIBUTES[name]: getattr(given, name) for name in names}
    for name in {"phones", "tags"} & found.keys():
        found[name] = list(found[name])
    if "parent_id" in found:
        found["parent_id"] = parse_id(found["parent_id"])
    if "custom_fields" in found:
        found["custom_fields"] = MessageToDict(given.custom_fields)
    return found


def to_message(customer: Customer, call: Call) -> pb.Customer:
    """The customer as this caller may see it."""
    message = pb.Customer(
        id=str(customer.id),
        name=customer.name,
        short_name=customer.short_name,
        name_en=customer.name_en,
        credit_code=customer.credit_code,
        industry=customer.industry,
        size=customer.size,  # type: ignore[arg-type]
        tier=customer.tier,  # type: ignore[arg-type]
        source=customer.source,  # type: ignore[arg-type]
        division_code=customer.division_code,
        address=customer.address,
        website=customer.website,
        phones=customer.phones,
        tags=customer.tags,
        parent_id=str(customer.parent_id or ""),
        note=customer.note,
        assignments=[_assignment_message(assignment) for assignment in customer.assignments],
        next_contact_date=customer.next_contact_on.isoformat() if customer.next_contact_on else "",
        etag=masks.etag(customer.version),
        create_time=customer.created_at,
        update_time=customer.updated_at,
    )
    if customer.custom_fields:
        message.custom_fields.CopyFrom(_struct(customer.custom_fields))
    if customer.last_contact_at > NEVER:
        message.last_contact_time.FromDatetime(customer.last_contact_at)
    if customer.deleted_at:
        message.delete_time.FromDatetime(customer.deleted_at)
    fields.govern(call, message)
    return message


def _struct(values: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


def _assignment_message(assignment: Assignment) -> pb.Assignment:
    return pb.Assignment(
        line_id=str(assignment.line_id),
        owner_id=str(assignment.owner_id),
        unit_id=str(assignment.unit_id),
        since_time=assignment.since,
    )


def period_message(period: AssignmentPeriod) -> pb.AssignmentPeriod:
    return pb.AssignmentPeriod(
        line_id=str(period.line_id),
        owner_id=str(period.owner_id),
        unit_id=str(period.unit_id),
        start_time=period.started_at,
        end_time=period.ended_at,
        assigned_by=str(period.assigned_by),
        note=period.note,
    )


def share_message(share: Share) -> pb.Share:
    return pb.Share(
        id=str(share.id),
        customer_id=str(share.customer_id),
        person_id=str(share.person_id),
        level=share.level,  # type: ignore[arg-type]
        end_date=share.end_on.isoformat() if share.end_on else "",
        note=share.note,
        shared_by=str(share.shared_by),
        create_time=share.created_at,
    )
