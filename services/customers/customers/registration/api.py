"""RegistrationsService: message → arguments → operation → message."""

from uuid import UUID

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.registration import operations, queries
from customers.registration.model import Registration
from tongxiao.customers.v1 import registration_pb2 as pb

GIVEN = ("name", "credit_code", "division_code", "note")


def create_registration(request: pb.CreateRegistrationRequest, call: Call) -> pb.Registration:
    given = request.registration
    values = {"line_id": UUID(given.line_id), **{name: getattr(given, name) for name in GIVEN}}
    values["credit_code"] = given.credit_code.upper()
    made = operations.create_registration(call, registration_id=parse_id(given.id), given=values)
    return to_message(made)


@one_statement
def get_registration(request: pb.GetRegistrationRequest, call: Call) -> pb.Registration:
    return to_message(queries.get_registration(call.session, UUID(request.id)))


@one_statement
def list_registrations(request: pb.ListRegistrationsRequest, call: Call) -> pb.ListRegistrationsResponse:
    found, token = queries.list_registrations(call, request)
    return pb.ListRegistrationsResponse(registrations=[to_message(each) for each in found], next_page_token=token)


def release_registration(request: pb.ReleaseRegistrationRequest, call: Call) -> pb.Registration:
    return to_message(operations.release_registration(call, registration_id=UUID(request.id), etag=request.etag))


def extend_registration(request: pb.ExtendRegistrationRequest, call: Call) -> pb.Registration:
    return to_message(operations.extend_registration(call, registration_id=UUID(request.id), etag=request.etag))


def to_message(registration: Registration) -> pb.Registration:
    return pb.Registration(
        id=str(registration.id),
        line_id=str(registration.line_id),
        name=registration.name,
        credit_code=registration.credit_code,
        division_code=registration.division_code,
        note=registration.note,
        owner_id=str(registration.owner_id),
        unit_id=str(registration.unit_id),
        state=registration.state_at(clock.now()),
        protect_time=clock.stamp(registration.protected_until),
        extended=registration.extended,
        customer_id=str(registration.customer_id or ""),
        etag=masks.etag(registration.version),
        create_time=clock.stamp(registration.created_at),
        update_time=clock.stamp(registration.updated_at),
    )
