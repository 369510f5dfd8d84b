"""A projection that somebody damaged by hand is found by `reconcile`, and healed by `reconcile --repair`."""

import subprocess
import sys

import pytest

from chassis.testing import process_environment

from .platform import TOKEN, Platform

BOTH = ("org.changed.v1", "person.changed.v1")


def reconcile(platform: Platform, *arguments: str) -> tuple[int, str]:
    """What the process ends with, and what it says."""
    targets = {name: platform.door[name] for name in platform.door if name.endswith("_TARGET")}
    variables = process_environment("work", platform.customers, **targets, TONGXIAO_SERVICE_TOKEN=TOKEN)
    command = [sys.executable, "-m", "customers", "reconcile", *arguments]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("kind", "damage", "named"),
    [
        (BOTH[0], "UPDATE org_units SET name = 'x', state = 'CLOSED' WHERE code = 'h1'", "name, state differ"),
        (BOTH[0], "DELETE FROM org_units WHERE code = 's1'", "is missing"),
        (BOTH[0], "DELETE FROM org_closure WHERE depth = 2", "above differ"),
        (BOTH[0], "UPDATE org_state SET tree_version = tree_version + 7", "tree: owner has"),
        (BOTH[1], "UPDATE org_people SET state = 'LEFT' WHERE number = 'director'", "state differ"),
        (BOTH[1], "UPDATE org_people SET version = version + 9, unit_ids = '{}'", "version, unit_ids differ"),
        (BOTH[1], "DELETE FROM org_people WHERE number = 'manager_h'", "is missing"),
        (
            BOTH[1],
            "INSERT INTO org_people SELECT gen_random_uuid(), 1, 'ghost', '', '', 'ACTIVE', NULL, '{}'",
            "is not the owner's",
        ),
    ],
)
def test_damage_is_named_and_healed(platform: Platform, kind: str, damage: str, named: str) -> None:
    with platform.customers.admin() as connection:
        connection.execute(damage)
    code, said = reconcile(platform, kind)
    assert (code, named in said) == (1, True), said
    assert reconcile(platform, kind)[0] == 1
    assert reconcile(platform, "--repair", kind)[0] == 0
    assert reconcile(platform)[0] == 0
