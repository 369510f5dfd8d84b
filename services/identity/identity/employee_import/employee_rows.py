"""Rows that hire employees into their posts, or change and move those whose numbers they name."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from chassis import fields, ids, imports
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.errors import DomainError
from chassis.import_rows import CREATED, UNCHANGED, UPDATED, Result
from chassis.imports import Field, Importer, Row, invalidated, refused
from chassis.pipeline import InvalidRequest, validate
from identity.employee import operations, queries
from identity.employee.attributes import ATTRIBUTES, attributes
from identity.employee.model import Employee
from identity.employee_import import placing
from identity.refusals import refuse
from identity.unit import queries as units
from tongxiao.identity.v1 import employee_pb2 as pb

FIELDS = (
    Field("number", "工号", "Number", ("employee number", "员工编号", "employee id"), required=True, key=True),
    Field("name", "姓名", "Name", ("员工姓名", "full name"), required=True),
    Field("name_en", "英文名", "English name", ()),
    Field("username", "登录名", "Username", ("账号", "login")),
    Field("email", "邮箱", "E-mail", ("email", "work email", "电子邮件")),
    Field("mobile", "手机", "Mobile", ("mobile phone", "work mobile", "手机号")),
    Field("hire_date", "入职日期", "Hire date", ("入职时间", "start date")),
    Field("unit", "单元编码", "Unit code", ("单元", "部门", "部门编码", "unit", "department", "department code")),
    Field("post", "岗位", "Post", ("岗位编码", "岗位名称", "post code", "position", "job title")),
    Field("role", "角色", "Role", ("角色编码", "role code")),
    Field("post_start_date", "任职日期", "Post since", ("任职开始日期", "post start date", "appointment date")),
    Field("locale", "语言", "Language", ()),
)
_PLAIN = tuple(ATTRIBUTES)
# What units are called, by code or name.
Named = Mapping[str, set[UUID]]
_TAKEN = {
    "uq_employees_number": ("NUMBER_TAKEN", "number"),
    "uq_employees_username": ("USERNAME_TAKEN", "username"),
    "uq_employees_email": ("EMAIL_TAKEN", "email"),
    "ex_tenures_post": ("TENURE_OVERLAPS", "post"),
    "ex_tenures_main": ("MAIN_TENURE_OVERLAPS", "post"),
}


def apply(call: Call, rows: Sequence[Row], update_by: str) -> list[Result]:
    """Hire or change an employee for each row, as the caller might one by one; a row that is refused leaves nothing."""
    numbers = {row.values["number"] for row in rows if "number" in row.values}
    existing = queries.by_numbers(call.session, numbers) if update_by else {}
    named = units.called(call.session, {row.values["unit"] for row in rows if "unit" in row.values})
    return [_one(call, row, existing, named) for row in rows]


EMPLOYEES = Importer(kind="employee", fields=FIELDS, apply=apply)


def _one(call: Call, row: Row, existing: Mapping[str, Employee], named: Named) -> Result:
    try:
        with call.session.begin_nested():
            result = _applied(call, row, existing.get(row.values.get("number", "")), _unit(row, named))
            call.session.flush()
            return result
    except DomainError as error:
        field = error.field.rpartition(".")[2]
        return refused(error, name=placing.FIELDS.get(field, field))
    except InvalidRequest as invalid:
        return invalidated(invalid)
    except IntegrityError as error:
        return _taken(error)


def _unit(row: Row, named: Named) -> UUID | None:
    """The unit that a row names, by its code or name. Refuses UNIT_UNKNOWN and NAME_AMBIGUOUS."""
    if "unit" not in row.values:
        return None
    found = named.get(row.values["unit"], set())
    if not found:
        raise refuse("UNIT_UNKNOWN", field="unit")
    if len(found) > 1:
        raise refuse("NAME_AMBIGUOUS", field="unit")
    return next(iter(found))


def _applied(call: Call, row: Row, employee: Employee | None, unit_id: UUID | None) -> Result:
    given = _given(call, row)
    fitting = placing.candidates(call, row, unit_id or (employee.unit_id if employee else None))
    if employee is None:
        made = _hired(call, given, row, unit_id or next((post.unit_id for post in fitting), None))
        result = Result(CREATED, made.id)
    else:
        before, made = employee.version, employee
        _changed(call, given, row, employee)
        result = Result(UNCHANGED, employee.id)
    if fitting:
        placing.place(call, row, made, fitting)
    if employee and employee.version > before:
        result.outcome = UPDATED
    return result


def _given(call: Call, row: Row) -> pb.Employee:
    """The employee that a row describes. Refuses FIELD_NOT_READABLE what the caller may not write."""
    cells: dict[str, Any] = {name: row.values[name] for name in _PLAIN if name in row.values}
    if "hire_date" in cells:
        cells["hire_date"] = imports.day(cells["hire_date"])
    given = pb.Employee(**cells)
    for field, right in fields.governed(given.DESCRIPTOR):
        if getattr(given, field.name) and call.field_access(right) < FieldAccess.EDIT:
            raise refuse("FIELD_NOT_READABLE", field=field.name)
    return given


def _changed(call: Call, given: pb.Employee, row: Row, employee: Employee) -> None:
    names = [name for name in _PLAIN if name in row.values]
    request = pb.UpdateEmployeeRequest(employee=given)
    request.update_mask.paths.extend(names)
    validate(request)
    operations.update(call, employee_id=employee.id, etag="*", changes=attributes(given, names))


def _hired(call: Call, given: pb.Employee, row: Row, unit_id: UUID | None) -> Employee:
    for name in ("number", "name"):
        if name not in row.values:
            raise refuse("FIELD_MISSING", field=name)
    validate(pb.CreateEmployeeRequest(employee=given))
    return operations.hire(call, employee_id=ids.new_id(), given=attributes(given, _PLAIN), unit_id=unit_id)


def _taken(error: IntegrityError) -> Result:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    if constraint not in _TAKEN:
        raise error
    reason, field = _TAKEN[constraint]
    return refused(refuse(reason, field=field))
