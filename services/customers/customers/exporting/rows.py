"""Customers and contacts as rows, under the names by which an import knows them again."""

from collections.abc import Sequence
from typing import Any

from chassis.call import Call
from customers.contact import api as contacts_api
from customers.contact.model import Contact, ContactPlace
from customers.customer.messages import customer_message
from customers.customer.model import Customer
from customers.exporting.queries import Names
from customers.importing import columns
from tongxiao.customers.v1 import contact_pb2, customer_pb2, export_job_pb2

_ENUMS: dict[str, tuple[Any, str]] = {
    "size": (customer_pb2.CustomerSize, "CUSTOMER_SIZE_"),
    "tier": (customer_pb2.CustomerTier, "CUSTOMER_TIER_"),
    "source": (customer_pb2.CustomerSource, "CUSTOMER_SOURCE_"),
    "role": (contact_pb2.ContactRole, "CONTACT_ROLE_"),
}


def header(kind: int) -> list[str]:
    fields = columns.CONTACT if kind == export_job_pb2.EXPORT_KIND_CONTACTS else columns.CUSTOMER
    return [field.title for field in fields]


def customer(found: Customer, call: Call, known: Names) -> list[str]:
    """A customer's row, as this caller reads it. Several lines stand in the order of their codes."""
    message = customer_message(found, call)
    held = sorted(found.assignments, key=lambda each: known.lines.get(each.line_id, ""))
    beside = {
        "parent": known.parents.get(found.parent_id, "") if found.parent_id else "",
        "line": _joined(known.lines.get(each.line_id, "") for each in held),
        "owner": _joined(known.people.get(each.owner_id, "") for each in held),
        "unit": _joined(known.units.get(each.unit_id, "") for each in held),
    }
    return [beside[name] if name in beside else _cell(message, name) for name in _names(columns.CUSTOMER)]


def contact(found: Contact, place: ContactPlace, at: Customer, call: Call) -> list[str]:
    """A contact's row at one customer, as this caller reads it."""
    message = contacts_api.to_message(found, call)
    there = contact_pb2.ContactPlace(role=place.role, job_title=place.job_title, department=place.department)  # type: ignore[arg-type]
    beside = {name: _cell(there, name) for name in ("role", "job_title", "department")} | {"customer": at.name}
    return [beside[name] if name in beside else _cell(message, name) for name in _names(columns.CONTACT)]


def _names(fields: Sequence[Any]) -> list[str]:
    return [field.name for field in fields]


def _cell(message: Any, name: str) -> str:
    value = getattr(message, name)
    if name in _ENUMS:
        enum, prefix = _ENUMS[name]
        return enum.Name(value).removeprefix(prefix) if value else ""
    return value if isinstance(value, str) else _joined(value)


def _joined(values: Any) -> str:
    return "; ".join(values)
