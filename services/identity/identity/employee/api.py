"""EmployeesService: message → arguments → operation → message."""

import secrets
from uuid import UUID

from chassis import clock, fields, masks
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.ids import parse_id
from identity import days, parts
from identity.employee import directory_queries, operations, passwords, queries, transfers
from identity.employee.attributes import ATTRIBUTES, attributes
from identity.employee.directory_queries import Entry
from identity.employee.model import Employee
from identity.keycloak import queries as keycloak
from identity.keycloak.model import Drift
from identity.refusals import refuse
from tongxiao.identity.v1 import employee_pb2 as pb


def get_employee(request: pb.GetEmployeeRequest, call: Call) -> pb.Employee:
    return _message(queries.get_employee(call.session, UUID(request.id)), call)


def list_employees(request: pb.ListEmployeesRequest, call: Call) -> pb.ListEmployeesResponse:
    found, token = queries.list_employees(call, request)
    return pb.ListEmployeesResponse(employees=[_message(one, call) for one in found], next_page_token=token)


def create_employee(request: pb.CreateEmployeeRequest, call: Call) -> pb.Employee:
    given = request.employee
    for field, right in fields.governed(given.DESCRIPTOR):
        if getattr(given, field.name) and call.field_access(right) < FieldAccess.EDIT:
            raise refuse("FIELD_NOT_READABLE", field=f"employee.{field.name}")
    made = operations.hire(
        call, employee_id=parse_id(given.id), given=attributes(given, ATTRIBUTES), unit_id=parse_id(given.unit_id)
    )
    return _message(made, call)


def update_employee(request: pb.UpdateEmployeeRequest, call: Call) -> pb.Employee:
    given = request.employee
    names = masks.changed_fields(call, given, request.update_mask, allowed=ATTRIBUTES)
    changes = attributes(given, names)
    return _message(operations.update(call, employee_id=UUID(given.id), etag=given.etag, changes=changes), call)


def transfer_employee(request: pb.TransferEmployeeRequest, call: Call) -> pb.Employee:
    transferred = transfers.transfer(
        call,
        employee_id=UUID(request.id),
        post_id=UUID(request.post_id),
        effective_date=request.effective_date,
        replace_planned=request.replace_planned,
        etag=request.etag,
    )
    return _message(transferred, call)


def suspend_employee(request: pb.SuspendEmployeeRequest, call: Call) -> pb.Employee:
    suspended = operations.suspend(call, employee_id=UUID(request.id), note=request.note, etag=request.etag)
    return _message(suspended, call)


def resume_employee(request: pb.ResumeEmployeeRequest, call: Call) -> pb.Employee:
    return _message(operations.resume(call, employee_id=UUID(request.id), etag=request.etag), call)


def dismiss_employee(request: pb.DismissEmployeeRequest, call: Call) -> pb.Employee:
    dismissed = operations.dismiss(
        call, employee_id=UUID(request.id), leave_date=request.leave_date, note=request.note, etag=request.etag
    )
    return _message(dismissed, call)


def reset_password(request: pb.ResetPasswordRequest, call: Call) -> pb.ResetPasswordResponse:
    password = secrets.token_urlsafe(12)
    passwords.reset(call, parts.current().realm, employee_id=UUID(request.id), password=password)
    return pb.ResetPasswordResponse(password=password)


def list_directory(request: pb.ListDirectoryRequest, call: Call) -> pb.ListDirectoryResponse:
    found, token = directory_queries.list_directory(call, request)
    return pb.ListDirectoryResponse(entries=[_entry_message(entry) for entry in found], next_page_token=token)


def list_drifts(request: pb.ListDriftsRequest, call: Call) -> pb.ListDriftsResponse:
    found, token = keycloak.list_drifts(call, request)
    return pb.ListDriftsResponse(drifts=[_drift_message(drift) for drift in found], next_page_token=token)


def _message(employee: Employee, call: Call) -> pb.Employee:
    """The employee as this caller may see them."""
    message = pb.Employee(
        id=str(employee.id),
        number=employee.number,
        name=employee.name,
        name_en=employee.name_en,
        username=employee.username,
        email=employee.email,
        mobile=employee.mobile,
        hire_date=days.text_of(employee.hire_on),
        leave_date=days.text_of(employee.leave_on),
        state=employee.state,  # type: ignore[arg-type]
        unit_id=str(employee.unit_id),
        locale=employee.locale,
        etag=masks.etag(employee.version),
        create_time=clock.stamp(employee.created_at),
        update_time=clock.stamp(employee.updated_at),
    )
    fields.govern(call, message, [(employee.id, employee.unit_id)])
    return message


def _entry_message(entry: Entry) -> pb.DirectoryEntry:
    return pb.DirectoryEntry(
        employee_id=str(entry.employee.id),
        number=entry.employee.number,
        name=entry.employee.name,
        name_en=entry.employee.name_en,
        unit_id=str(entry.employee.unit_id),
        unit_name=entry.unit_name,
        post_name=entry.post_name,
    )


def _drift_message(drift: Drift) -> pb.Drift:
    return pb.Drift(
        id=str(drift.id),
        subject=drift.subject,
        subject_id=drift.subject_id,
        difference=drift.difference,
        found_time=clock.stamp(drift.found_at),
        repaired_time=clock.stamp(drift.repaired_at),
    )
