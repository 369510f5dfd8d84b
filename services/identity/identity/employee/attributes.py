"""The fields of an employee's message as the attributes of the model."""

from collections.abc import Iterable
from typing import Any

from identity import days
from tongxiao.identity.v1 import employee_pb2 as pb

# Field of the message to attribute of the model; what stands here may be changed.
ATTRIBUTES = {
    **{name: name for name in ("number", "name", "name_en", "username", "email", "mobile", "locale")},
    "hire_date": "hire_on",
}


def attributes(given: pb.Employee, names: Iterable[str]) -> dict[str, Any]:
    """The values of fields, in the types the model keeps; refuses DATE_INVALID."""
    found: dict[str, Any] = {ATTRIBUTES[name]: getattr(given, name) for name in names}
    if "hire_on" in found:
        found["hire_on"] = days.checked_day(given.hire_date, field="employee.hire_date")
    return found
