"""What Keycloak ought to know: an account for every employee, a group for every open unit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from identity.employee.model import Employee
from identity.employee.people import belonging, by_person
from identity.keycloak import queries
from identity.post import holding_queries as holdings
from identity.unit.model import Unit
from tongxiao.identity.v1.employee_pb2 import EMPLOYEE_STATE_LEFT

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Account:
    """How an employee's account ought to be."""

    employee_id: UUID
    keycloak_id: str | None
    username: str
    name: str
    email: str
    locale: str
    enabled: bool
    gone: bool
    unit_ids: frozenset[UUID]
    roles: frozenset[str]

    def document(self) -> Document:
        """The account in Keycloak's terms, groups and roles apart."""
        return {
            "username": self.username,
            "email": self.email,
            "emailVerified": bool(self.email),
            "firstName": self.name,
            "lastName": "",
            "enabled": self.enabled,
            "attributes": {"employee_id": [str(self.employee_id)], "locale": [self.locale]},
        }


@dataclass(frozen=True, kw_only=True)
class Group:
    """How a unit's group ought to be; its name is the unit's code, unique wherever it lies."""

    unit_id: UUID
    parent_id: UUID | None
    name: str
    title: str

    def document(self) -> Document:
        return {"name": self.name, "attributes": {"unit_id": [str(self.unit_id)], "title": [self.title]}}


def accounts(session: Session, employees: Iterable[Employee]) -> dict[UUID, Account]:
    """Accounts by employee. Whoever is not at work has neither groups nor roles."""
    people = {employee.id: employee for employee in employees}
    held = by_person(holdings.of_people(session, people), people)
    return {
        employee_id: Account(
            employee_id=employee_id,
            keycloak_id=employee.keycloak_id,
            username=employee.username,
            name=employee.name,
            email=employee.email,
            locale=employee.locale,
            enabled=employee.active,
            gone=employee.state == EMPLOYEE_STATE_LEFT,
            unit_ids=frozenset(belonging(held[employee_id]) if employee.active else ()),
            roles=frozenset(holding.role.realm_role for holding in held[employee_id] if employee.active),
        )
        for employee_id, employee in people.items()
    }


def account(session: Session, employee_id: UUID) -> Account | None:
    employee = queries.employee(session, employee_id)
    return accounts(session, [employee])[employee_id] if employee else None


def group(unit: Unit) -> Group:
    return Group(unit_id=unit.id, parent_id=unit.parent_id, name=unit.code, title=unit.name)


def differences(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The names of what differs between a document of Keycloak's and the one it ought to be."""
    found = []
    for name, value in wanted.items():
        if name == "attributes":
            known = there.get(name) or {}
            found += [attribute for attribute, values in value.items() if known.get(attribute) != values]
        elif (there.get(name) or type(value)()) != value:
            found.append(name)
    return found
