"""Rows that hire employees, or change those whose numbers they name."""

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
    Field("unit", "单元编码", "Unit code", ("部门编码", "department code")),
    Field("locale", "语言", "Language", ()),
)
_PLAIN = tuple(ATTRIBUTES)
_TAKEN = {
    "uq_employees_number": ("NUMBER_TAKEN", "number"),
    "uq_employees_username": ("USERNAME_TAKEN", "username"),
    "uq_employees_email": ("EMAIL_TAKEN", "email"),
}


def apply(call: Call, rows: Sequence[Row], update_by: str) -> list[Result]:
    """Hire or change an employee for each row, as the caller might one by one; a row that is refused leaves nothing."""
    numbers = {row.values["number"] for row in rows if "number" in row.values}
    existing = queries.by_numbers(call.session, numbers) if update_by else {}
    codes = units.by_codes(call.session, {row.values["unit"] for row in rows if "unit" in row.values})
    return [_one(call, row, existing, codes) for row in rows]


EMPLOYEES = Importer(kind="employee", fields=FIELDS, apply=apply)


def _one(call: Call, row: Row, existing: Mapping[str, Employee], codes: Mapping[str, UUID]) -> Result:
    try:
        with call.session.begin_nested():
            result = _applied(call, row, existing.get(row.values.get("number", "")), codes)
            call.session.flush()
            return result
    except DomainError as error:
        return refused(error)
    except InvalidRequest as invalid:
        return invalidated(invalid)
    except IntegrityError as error:
        return _taken(error)


def _applied(call: Call, row: Row, employee: Employee | None, codes: Mapping[str, UUID]) -> Result:
    cells: dict[str, Any] = {name: row.values[name] for name in _PLAIN if name in row.values}
    if "hire_date" in cells:
        cells["hire_date"] = imports.day(cells["hire_date"])
    given = pb.Employee(**cells)
    for field, right in fields.governed(given.DESCRIPTOR):
        if getattr(given, field.name) and call.field_access(right) < FieldAccess.EDIT:
            raise refuse("FIELD_NOT_READABLE", field=field.name)
    if employee is None:
        return _hired(call, given, row, codes)
    names = [name for name in _PLAIN if name in row.values]
    request = pb.UpdateEmployeeRequest(employee=given)
    request.update_mask.paths.extend(names)
    validate(request)
    before = employee.version
    changes = attributes(given, names)
    changed = operations.update(call, employee_id=employee.id, etag="*", changes=changes)
    return Result(UPDATED if changed.version > before else UNCHANGED, employee.id)


def _hired(call: Call, given: pb.Employee, row: Row, codes: Mapping[str, UUID]) -> Result:
    for name in ("number", "name"):
        if name not in row.values:
            raise refuse("FIELD_MISSING", field=name)
    if "unit" in row.values and row.values["unit"] not in codes:
        raise refuse("UNIT_UNKNOWN", field="unit")
    validate(pb.CreateEmployeeRequest(employee=given))
    made = operations.hire(
        call, employee_id=ids.new_id(), given=attributes(given, _PLAIN), unit_id=codes.get(row.values.get("unit", ""))
    )
    return Result(CREATED, made.id)


def _taken(error: IntegrityError) -> Result:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    if constraint not in _TAKEN:
        raise error
    reason, field = _TAKEN[constraint]
    return refused(refuse(reason, field=field))
