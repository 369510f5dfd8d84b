"""Roles: made of what the maker may grant; changing one changes the rights of everybody who has it."""

from typing import Any

import pytest

from chassis.testing.rpc import Client, Refused
from identity.role.seeds import role_id

from .conftest import Company


def refusal(client: Client, name: str, **fields: Any) -> str:
    with pytest.raises(Refused) as refused:
        client(name, **fields)
    return refused.value.reason


def described(**fields: Any) -> dict[str, Any]:
    return {"code": "helper", "name": "助理", "level": "LEVEL_SALESPERSON", "permissions": ["customer.read"], **fields}


def test_a_role_is_made_and_read(firm: Company) -> None:
    rights = [{"field": "contact.mobile", "access": "FIELD_ACCESS_READ"}]
    role = firm.as_("admin")("CreateRole", role=described(field_rights=rights))
    assert firm.as_("seller")("GetRole", id=role.id) == role
    assert "helper" in [found.code for found in firm.as_("seller")("ListRoles").roles]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"code": "manager"}, "CODE_TAKEN"),
        ({"permissions": ["customer.eat"]}, "PERMISSION_UNKNOWN"),
        ({"field_rights": [{"field": "contact.shoe", "access": "FIELD_ACCESS_READ"}]}, "FIELD_UNKNOWN"),
    ],
)
def test_a_wrong_role_is_refused(firm: Company, fields: dict[str, Any], reason: str) -> None:
    assert refusal(firm.as_("admin"), "CreateRole", role=described(**fields)) == reason


def test_a_role_holds_nothing_its_maker_may_not_grant(firm: Company) -> None:
    assert refusal(firm.hire_role_keeper(), "CreateRole", role=described()) == "NOT_GRANTABLE"


def test_changing_a_role_concerns_everybody_who_has_it(firm: Company) -> None:
    firm.forget_events()
    change = {"id": str(role_id("salesperson")), "etag": "*", "permissions": ["customer.read"]}
    firm.as_("admin")("UpdateRole", role=change)
    revoked = {event["personId"] for event in firm.events("session.revoked.v1") if event["rightsOnly"]}
    assert revoked == {str(firm.person["seller"]), str(firm.person["other"])}
    assert list(firm.as_("seller")("GetMe").grants[0].permissions) == ["customer.read"]


def test_nobody_changes_the_rights_of_their_own_role(firm: Company) -> None:
    change = {"id": str(role_id("admin")), "etag": "*", "permissions": ["customer.read"]}
    assert refusal(firm.as_("admin"), "UpdateRole", role=change) == "NOT_ONESELF"


def test_a_new_name_voids_nothing(firm: Company) -> None:
    firm.forget_events()
    firm.as_("admin")("UpdateRole", role={"id": str(role_id("salesperson")), "etag": "*", "name": "销售"})
    assert firm.events("session.revoked.v1") == []


def test_roles_in_use_and_built_in_ones_stay(firm: Company) -> None:
    admin = firm.as_("admin")
    assert refusal(admin, "DeleteRole", id=str(role_id("finance")), etag="*") == "ROLE_BUILT_IN"
    role = admin("CreateRole", role=described())
    post = {"code": "X", "name": "岗", "role_id": role.id, "unit_id": str(firm.unit["h1"])}
    post_id = admin("CreatePost", post=post).id
    assert refusal(admin, "DeleteRole", id=role.id, etag="*") == "ROLE_IN_USE"
    admin("DeletePost", id=post_id, etag="*")
    admin("DeleteRole", id=role.id, etag="*")
    assert refusal(admin, "GetRole", id=role.id) == "NOT_FOUND"


def test_the_catalogue_names_every_permission_and_field(firm: Company) -> None:
    found = firm.as_("seller")("ListPermissions")
    titles = {permission.name: permission.title for permission in found.permissions}
    assert titles["customer.reassign"] == "转移客户"
    defaults = {right.field: right.default_access for right in found.field_rights}
    assert defaults["contact.mobile"] == 2
    assert {"employee.mobile", "customer.phones"} <= defaults.keys()
