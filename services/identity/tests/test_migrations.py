"""The database as migrations make it: as the code declares it, with the roles that come with the system."""

from collections.abc import Callable
from itertools import pairwise

from sqlalchemy import text

from chassis import migrate
from chassis.testing import ServiceDatabase
from identity.role.catalogue import PERMISSIONS, governed_fields
from identity.role.seeds import FIRST, GRANTED_WITH_DUPLICATES, GRANTED_WITH_LONG_WORK
from identity.tables import METADATA


def test_tables_are_as_declared(service_database: Callable[[str], ServiceDatabase]) -> None:
    assert migrate.drift(service_database("identity").engine("owner"), METADATA) == []


def test_roles_come_with_the_system(service_database: Callable[[str], ServiceDatabase]) -> None:
    with service_database("identity").engine("api").connect() as connection:
        codes = connection.scalars(text("SELECT code FROM roles WHERE built_in ORDER BY level")).all()
    assert codes == ["salesperson", "supervisor", "manager", "director", "admin", "finance", "knowledge_editor"]


def test_seeded_roles_name_only_what_the_catalogue_has() -> None:
    for role in FIRST:
        assert {*role["permissions"], *role["grantable_permissions"]} <= PERMISSIONS.keys()
        assert role["field_rights"].keys() <= set(governed_fields())


def test_later_grants_are_planted_and_name_only_what_the_catalogue_has(
    service_database: Callable[[str], ServiceDatabase],
) -> None:
    with service_database("identity").engine("api").connect() as connection:
        found = connection.execute(text("SELECT id, permissions, grantable_permissions FROM roles"))
        roles = {row.id: row for row in found}
    for later in (*GRANTED_WITH_LONG_WORK, *GRANTED_WITH_DUPLICATES):
        assert {*later["held"], *later["grantable"]} <= PERMISSIONS.keys()
        assert set(later["held"]) <= set(roles[later["id"]].permissions)
        assert set(later["grantable"]) <= set(roles[later["id"]].grantable_permissions)


def test_the_ladder_of_roles_holds_one_another() -> None:
    by_code = {role["code"]: set(role["permissions"]) for role in FIRST}
    ladder = ("salesperson", "supervisor", "manager", "director")
    for lower, upper in pairwise(ladder):
        assert by_code[lower] < by_code[upper]


def test_administrators_hold_nothing_of_customers() -> None:
    admin = next(role for role in FIRST if role["code"] == "admin")
    assert not [name for name in admin["permissions"] if name.startswith(("customer", "contact", "product_line"))]
