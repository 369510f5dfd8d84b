"""JoinRequestsService: message → arguments → operation → message."""

from uuid import UUID

from chassis import clock, masks
from chassis.call import Call
from chassis.rpc import one_statement
from customers.joining import operations, queries
from customers.joining.model import ACCEPTED, JoinRequest
from tongxiao.customers.v1 import join_request_pb2 as pb

ASKED = ("credit_code", "phone", "name", "division_code")


def ask_to_join(request: pb.AskToJoinRequest, call: Call) -> pb.JoinRequest:
    asked = {name: getattr(request, name) for name in ASKED} | {"credit_code": request.credit_code.upper()}
    return to_message(operations.ask_to_join(call, asked=asked, note=request.note), call)


@one_statement
def list_join_requests(request: pb.ListJoinRequestsRequest, call: Call) -> pb.ListJoinRequestsResponse:
    found, token = queries.list_requests(call, request)
    return pb.ListJoinRequestsResponse(join_requests=[to_message(each, call) for each in found], next_page_token=token)


def answer_join_request(request: pb.AnswerJoinRequestRequest, call: Call) -> pb.JoinRequest:
    answered = operations.answer_join_request(
        call,
        request_id=UUID(request.id),
        state=request.state,
        level=request.level,
        end_date=request.end_date,
        note=request.note,
        etag=request.etag,
    )
    return to_message(answered, call)


def to_message(request: JoinRequest, call: Call) -> pb.JoinRequest:
    """The request; who asked learns what it was for when they are let in."""
    told = request.person_id != call.caller.person_id or request.state == ACCEPTED
    return pb.JoinRequest(
        id=str(request.id),
        customer_id=str(request.customer_id or "") if told else "",
        registration_id=str(request.registration_id or "") if told else "",
        person_id=str(request.person_id),
        unit_id=str(request.unit_id),
        note=request.note,
        state=request.state,  # type: ignore[arg-type]
        level=request.level,  # type: ignore[arg-type]
        end_date=request.end_on.isoformat() if request.end_on else "",
        answer_note=request.answer_note,
        etag=masks.etag(request.version),
        create_time=clock.stamp(request.created_at),
        answer_time=clock.stamp(request.answered_at),
    )
