"""The roles that come with the system, as the first migration plants them. Later changes belong in later migrations."""

from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("5b9c1f0a-3a52-5c0e-9d57-6f1d6b1d8a11")
MASKED, READ, EDIT = 2, 3, 4


def role_id(code: str) -> UUID:
    """The fixed id of a role that comes with the system."""
    return uuid5(NAMESPACE, code)


_SALES_FIELDS = ("customer.phones", "contact.phone", "contact.email", "contact.wechat", "contact.birthday")
_SALES_RIGHTS = {**dict.fromkeys(_SALES_FIELDS, EDIT), "contact.mobile": MASKED}
_EMPLOYEE_FIELDS = ("employee.mobile", "employee.email")
_LEADING_RIGHTS = {**_SALES_RIGHTS, "contact.mobile": EDIT, **dict.fromkeys(_EMPLOYEE_FIELDS, READ)}

_EVERYBODY = ("directory.read", "unit.read", "post.read", "role.read", "product_line.read")
_SALESPERSON = (
    *_EVERYBODY,
    *("customer.read", "customer.create", "customer.update", "customer.share"),
    *("contact.read", "contact.create", "contact.update", "contact.delete", "contact.reveal"),
    *("contact_record.read", "contact_record.create", "contact_record.update", "contact_record.delete"),
)
_SUPERVISOR = (*_SALESPERSON, "customer.reassign", "customer.delete", "employee.read", "access.explain")
_MANAGER = (*_SUPERVISOR, "post.appoint", "post.manage", "audit.read")
_DIRECTOR = (*_MANAGER, "product_line.manage")
_ADMIN = (
    *("unit.read", "unit.manage", "role.read", "role.manage", "post.read", "post.manage", "post.appoint"),
    *("employee.read", "employee.manage", "directory.read", "audit.read", "access.explain", "projection.read"),
)
_FINANCE = (*_EVERYBODY, "customer.read", "contact.read", "contact_record.read")
_ALL = tuple(sorted({*_DIRECTOR, *_ADMIN, *_FINANCE}))


def _role(code: str, level: int, names: tuple[str, str], permissions: tuple[str, ...], **rest: Any) -> dict[str, Any]:
    name, name_en = names
    grantable, rights = rest.get("grantable", ()), rest.get("rights", {})
    return {
        "id": role_id(code),
        "code": code,
        "name": name,
        "name_en": name_en,
        "level": level,
        "permissions": sorted(permissions),
        "grantable_permissions": sorted(grantable),
        "field_rights": rights,
        "built_in": True,
    }


FIRST = (
    _role("salesperson", 1, ("业务员", "Salesperson"), _SALESPERSON, rights=_SALES_RIGHTS),
    _role("supervisor", 2, ("主管", "Supervisor"), _SUPERVISOR, rights=_SALES_RIGHTS),
    _role("manager", 3, ("经理", "Manager"), _MANAGER, grantable=_SUPERVISOR, rights=_LEADING_RIGHTS),
    _role("director", 4, ("总监", "Director"), _DIRECTOR, grantable=_MANAGER, rights=_LEADING_RIGHTS),
    _role(
        "admin",
        5,
        ("系统管理员", "Administrator"),
        _ADMIN,
        grantable=_ALL,
        rights=dict.fromkeys(_EMPLOYEE_FIELDS, EDIT),
    ),
    _role(
        *("finance", 6, ("财务", "Finance"), _FINANCE),
        rights={"customer.phones": READ, "contact.phone": READ},
    ),
    _role("knowledge_editor", 7, ("知识编辑", "Knowledge editor"), _EVERYBODY),
)

_IMPORT, _EXPORT, _EMPLOYEES = "customer.import", "customer.export", "employee.import"


def _later(code: str, held: tuple[str, ...], grantable: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"id": role_id(code), "held": sorted(held), "grantable": sorted(grantable)}


# What came with long work, planted by the migration 0003.
GRANTED_WITH_LONG_WORK = (
    _later("salesperson", (_IMPORT,)),
    _later("supervisor", (_IMPORT,)),
    _later("manager", (_IMPORT, _EXPORT), (_IMPORT,)),
    _later("director", (_IMPORT, _EXPORT), (_IMPORT, _EXPORT)),
    _later("admin", (_EMPLOYEES,), (_IMPORT, _EXPORT, _EMPLOYEES)),
)

_REGISTER = ("registration.read", "registration.create")
_LEAD = (*_REGISTER, "registration.extend", "customer.merge")
_CHECKS = "duplicate_check.read"

# What came with duplicates, merging and registrations, planted by the migration 0004.
GRANTED_WITH_DUPLICATES = (
    _later("salesperson", _REGISTER),
    _later("supervisor", _LEAD),
    _later("manager", (*_LEAD, _CHECKS), _LEAD),
    _later("director", (*_LEAD, _CHECKS), (*_LEAD, _CHECKS)),
    _later("admin", (), (*_LEAD, _CHECKS)),
)
