"""What the matrix leaves to be said: what is made by whom, and who is out at once."""

import httpx
import pytest

from chassis.testing import eventually

from .platform import ROLES, Platform, roles_of


@pytest.mark.parametrize("person", ROLES)
def test_units_are_made_by_administrators_where_they_govern(platform: Platform, person: str) -> None:
    unit = {"code": f"new-{person}", "name": "新组", "kind": "UNIT_KIND_TEAM", "parentId": str(platform.units["h1"])}
    answer = platform.client(person).post("/v1/units", json=unit)
    assert answer.status_code == (201 if "admin" in roles_of(person) else 403), answer.text


def test_a_suspended_person_is_out_within_five_seconds(platform: Platform) -> None:
    seller, admin = platform.client("salesperson_h2"), platform.client("admin")
    assert seller.get("/v1/me").status_code == 200
    path = f"/v1/employees/{platform.people['salesperson_h2']}"
    etag = admin.get(path).headers["etag"]
    assert admin.post(f"{path}:suspend", json={"note": "x"}, headers={"If-Match": etag}).status_code == 200
    eventually(lambda: seller.get("/v1/me").status_code == 401, timeout=5)
    assert admin.post(f"{path}:resume", json={}, headers={"If-Match": "*"}).status_code == 200
    eventually(lambda: signs_in(platform, "salesperson_h2"), timeout=20)


def signs_in(platform: Platform, person: str) -> bool:
    """Whether a person who signs in anew is let in; Keycloak is told of them a moment later than we are."""
    platform.forget(person)
    try:
        return platform.client(person).get("/v1/me").status_code == 200
    except httpx.HTTPStatusError:
        return False
