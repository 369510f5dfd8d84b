"""Every select of requests to join."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chassis import paging, reach
from chassis.call import Call
from chassis.listing import Order
from customers.customer.model import Customer, Share
from customers.joining.model import ACCEPTED, PENDING, JoinRequest
from customers.refusals import refuse
from tongxiao.customers.v1 import join_request_pb2 as pb

ORDER = Order("create_time", "created_at", descending=True)
_OWN = {"reach": "what the caller asked themselves"}
_SIDES = {"reach": "what the caller asked themselves, or may change, as each condition says"}


def get_request(session: Session, request_id: UUID) -> JoinRequest:
    """The request, for what lies within the caller's reach."""
    found = session.scalars(select(JoinRequest).where(JoinRequest.id == request_id)).one_or_none()
    if found is None:
        raise refuse.unknown("NOT_FOUND", request_id)
    return found


def list_requests(call: Call, request: pb.ListJoinRequestsRequest) -> tuple[Sequence[JoinRequest], str]:
    """A page of the requests that the caller asked, or may answer, newest first."""
    asked = JoinRequest.person_id == call.caller.person_id
    answerable = reach.condition(JoinRequest, JoinRequest.id, call.change_scope)
    sides = {pb.JOIN_REQUEST_SIDE_ASKED: asked, pb.JOIN_REQUEST_SIDE_TO_ANSWER: answerable}
    wanted = select(JoinRequest).where(sides.get(request.side, or_(asked, answerable))).execution_options(**_SIDES)
    if request.state:
        wanted = wanted.where(JoinRequest.state == request.state)
    return paging.Cursor(call, request, ORDER).page(call.session, wanted, JoinRequest)


def pending_of(
    session: Session, person_id: UUID, customer_id: UUID | None, registration_id: UUID | None
) -> JoinRequest | None:
    """A person's request for the same that waits for its answer."""
    same = JoinRequest.customer_id == customer_id if customer_id else JoinRequest.registration_id == registration_id
    wanted = select(JoinRequest).where(JoinRequest.person_id == person_id, JoinRequest.state == PENDING, same)
    return session.scalars(wanted.order_by(JoinRequest.id).limit(1).execution_options(**_OWN)).one_or_none()


def asked_since(session: Session, person_id: UUID, moment: datetime) -> int:
    """How many requests a person has made since a moment."""
    wanted = select(func.count(JoinRequest.id)).where(
        JoinRequest.person_id == person_id, JoinRequest.created_at >= moment
    )
    return session.scalar(wanted.execution_options(**_OWN)) or 0


def accepted_for(session: Session, registration_id: UUID) -> Sequence[JoinRequest]:
    """Who was let in to a registration."""
    wanted = select(JoinRequest).where(JoinRequest.registration_id == registration_id, JoinRequest.state == ACCEPTED)
    return session.scalars(wanted.execution_options(reach="who is let in to the caller's registration")).all()


def is_live(session: Session, customer_id: UUID) -> bool:
    """Whether a customer that the caller was told of is still there."""
    wanted = select(Customer.id).where(Customer.id == customer_id, Customer.deleted_at.is_(None))
    return session.scalar(wanted.execution_options(**_OWN)) is not None


def shared_with(session: Session, customer_id: UUID) -> set[UUID]:
    wanted = select(Share.person_id).where(Share.customer_id == customer_id)
    return set(session.scalars(wanted))
