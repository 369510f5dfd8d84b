"""Customers and contacts as rows, under the names by which an import knows them again."""

from collections.abc import Sequence
from typing import Any

from chassis.call import Call
from customers import facts
from customers.contact import api as contacts_api
from customers.contact.model import Contact, ContactPlace
from customers.customer.messages import customer_message
from customers.customer.model import Customer
from customers.exporting.queries import Names
from customers.importing import cells, columns
from tongxiao.customers.v1 import contact_pb2, export_job_pb2

_PHONES = ("phones", "mobile", "phone")


def header(kind: int, language: str) -> list[str]:
    fields = columns.CONTACT if kind == export_job_pb2.EXPORT_KIND_CONTACTS else columns.CUSTOMER
    return [field.title_en if language == "en" else field.title for field in fields]


def customer(found: Customer, call: Call, known: Names, language: str) -> list[str]:
    """A customer's row, as this caller reads it. Several lines stand in the order of their codes."""
    message = customer_message(found, call)
    held = sorted(found.assignments, key=lambda each: known.lines.get(each.line_id, ""))
    beside = {
        "parent": known.parents.get(found.parent_id, "") if found.parent_id else "",
        "line": _joined(known.lines.get(each.line_id, "") for each in held),
        "owner": _joined(known.people.get(each.owner_id, "") for each in held),
        "unit": _joined(known.units.get(each.unit_id, "") for each in held),
    }
    return [beside[name] if name in beside else _cell(message, name, language) for name in _names(columns.CUSTOMER)]


def contact(found: Contact, place: ContactPlace, at: Customer, call: Call, language: str) -> list[str]:
    """A contact's row at one customer, as this caller reads it."""
    message = contacts_api.to_message(found, call)
    there = contact_pb2.ContactPlace(role=place.role, job_title=place.job_title, department=place.department)  # type: ignore[arg-type]
    beside = {name: _cell(there, name, language) for name in ("role", "job_title", "department")}
    beside["customer"] = at.name
    return [beside[name] if name in beside else _cell(message, name, language) for name in _names(columns.CONTACT)]


def _names(fields: Sequence[Any]) -> list[str]:
    return [field.name for field in fields]


def _cell(message: Any, name: str, language: str) -> str:
    value = getattr(message, name)
    if enum := message.DESCRIPTOR.fields_by_name[name].enum_type:
        return cells.label(enum, value, language)
    if name in _PHONES:
        return _joined(map(facts.spaced_phone, [value] if isinstance(value, str) else value))
    return value if isinstance(value, str) else _joined(value)


def _joined(values: Any) -> str:
    return "; ".join(values)
