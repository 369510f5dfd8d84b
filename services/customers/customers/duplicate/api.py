"""DuplicatesService: message → arguments → query → message."""

from uuid import UUID

from chassis import tokens
from chassis.call import Call
from chassis.ids import NIL
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from customers.customer import queries as customers
from customers.customer.messages import customer_messages
from customers.duplicate import operations, queries
from tongxiao.customers.v1 import duplicate_pb2 as pb


def find_duplicates(request: pb.FindDuplicatesRequest, call: Call) -> pb.FindDuplicatesResponse:
    found = operations.find_duplicates(call, request)
    messages = customer_messages(customers.by_ids(call.session, list(found)), call)
    return pb.FindDuplicatesResponse(
        duplicates=[
            pb.Duplicate(customer=message, kinds=found[UUID(message.id)])  # type: ignore[arg-type]
            for message in messages
        ]
    )


def list_duplicates(request: pb.ListDuplicatesRequest, call: Call) -> pb.ListDuplicatesResponse:
    mark = tokens.fingerprint(call, request)
    after = tokens.read_token(request.page_token, mark)[0] if request.page_token else ""
    column = "web_domain" if request.grouping == pb.DUPLICATE_GROUPING_DOMAIN else "name_key"
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    found, following = queries.groups(call, column, after=after, limit=size)
    shown = [id_ for ids in found.values() for id_ in ids[: queries.MEMBERS]]
    messages = {UUID(each.id): each for each in customer_messages(customers.by_ids(call.session, shown), call)}
    return pb.ListDuplicatesResponse(
        groups=[
            pb.DuplicateGroup(key=key, customers=[messages[id_] for id_ in ids if id_ in messages])
            for key, ids in found.items()
        ],
        next_page_token=tokens.token_of(following, NIL, mark) if following else "",
    )
