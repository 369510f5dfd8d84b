"""Role × route × record: what each role gets over REST is what its post gives it, and nothing else."""

from typing import Any

import pytest

from .platform import Platform

OWNERS = {"salesperson_h": "h1", "salesperson_h2": "h2", "salesperson_s": "s1"}
# Whose customers a role reads, and whether it changes, reassigns and deletes them.
READS = {
    "director": set(OWNERS),
    "finance": set(OWNERS),
    "manager_h": {"salesperson_h", "salesperson_h2"},
    "manager_s": {"salesperson_s"},
    "supervisor_h": {"salesperson_h"},
    "salesperson_h": {"salesperson_h"},
    "salesperson_h2": {"salesperson_h2"},
    "salesperson_s": {"salesperson_s"},
    "admin": set(),
}
UNABLE = {"finance", "admin"}


@pytest.fixture(scope="module")
def records(platform: Platform) -> dict[str, dict[str, Any]]:
    """A customer of each salesperson, with a contact and a contact record."""
    director = platform.client("director")
    line = director.post("/v1/product-lines", json={"code": "EQ", "name": "设备"})
    assert line.status_code == 201, line.text
    found = {}
    for owner in OWNERS:
        seller = platform.client(owner)
        given = {"name": f"{owner} 远山机械", "assignments": [{"lineId": line.json()["id"]}]}
        customer = seller.post("/v1/customers", json=given)
        assert customer.status_code == 201, customer.text
        contact = {"name": "李四", "mobile": "13812345678", "places": [{"customerId": customer.json()["id"]}]}
        assert seller.post("/v1/contacts", json=contact).status_code == 201
        visit = {"customerId": customer.json()["id"], "channel": "CONTACT_CHANNEL_VISIT", "summary": "拜访"}
        assert seller.post("/v1/contact-records", json={**visit, "twoWay": True}).status_code == 201
        found[owner] = customer.json()
    return found


@pytest.mark.parametrize("role", READS)
def test_reading_follows_the_post(platform: Platform, records: dict[str, dict[str, Any]], role: str) -> None:
    client = platform.client(role)
    for owner, customer in records.items():
        wanted = 403 if role == "admin" else 200 if owner in READS[role] else 404
        for path in ("", "/overview", "/shares", "/assignment-history"):
            answer = client.get(f"/v1/customers/{customer['id']}{path}")
            assert answer.status_code == wanted, (role, owner, path, answer.text)


@pytest.mark.parametrize("role", set(READS) - {"admin"})
def test_lists_counts_and_searches_agree(platform: Platform, records: dict[str, dict[str, Any]], role: str) -> None:
    client = platform.client(role)
    wanted = {records[owner]["id"] for owner in READS[role]}
    listed = {customer["id"] for customer in client.get("/v1/customers").json()["customers"]}
    searched = {customer["id"] for customer in client.get("/v1/customers:search?query=远山").json()["customers"]}
    assert listed == searched == wanted
    assert client.get("/v1/customers:count").json()["count"] == len(wanted)
    at = {
        place["customerId"] for contact in client.get("/v1/contacts").json()["contacts"] for place in contact["places"]
    }
    visited = {record["customerId"] for record in client.get("/v1/contact-records").json()["contactRecords"]}
    assert at == visited == wanted


@pytest.mark.parametrize("role", READS)
def test_changing_follows_the_post(platform: Platform, records: dict[str, dict[str, Any]], role: str) -> None:
    client = platform.client(role)
    for owner, customer in records.items():
        path = f"/v1/customers/{customer['id']}"
        answer = client.patch(path, json={"note": role}, headers={"If-Match": "*"})
        wanted = 403 if role in UNABLE else 200 if owner in READS[role] else 404
        assert answer.status_code == wanted, (role, owner, answer.text)


@pytest.mark.parametrize("role", READS)
def test_units_are_made_by_administrators_alone(platform: Platform, role: str) -> None:
    unit = {"code": f"new-{role}", "name": "新组", "kind": "UNIT_KIND_TEAM", "parentId": str(platform.units["h1"])}
    answer = platform.client(role).post("/v1/units", json=unit)
    assert answer.status_code == (201 if role == "admin" else 403), answer.text


def test_another_branchs_id_and_one_that_does_not_exist_answer_alike(
    platform: Platform, records: dict[str, dict[str, Any]]
) -> None:
    client = platform.client("manager_s")
    hidden = client.get(f"/v1/customers/{records['salesperson_h']['id']}").json()
    nothing = client.get("/v1/customers/018f0000-0000-7000-8000-000000000000").json()
    different = ("instance", "traceId")
    assert {k: v for k, v in hidden.items() if k not in different} == {
        k: v for k, v in nothing.items() if k not in different
    }


def test_a_suspended_person_is_out_within_five_seconds(platform: Platform) -> None:
    from chassis.testing import eventually

    seller = platform.client("salesperson_h2")
    assert seller.get("/v1/me").status_code == 200
    admin = platform.client("admin")
    path = f"/v1/employees/{platform.people['salesperson_h2']}"
    etag = admin.get(path).headers["etag"]
    assert admin.post(f"{path}:suspend", json={"note": "x"}, headers={"If-Match": etag}).status_code == 200
    eventually(lambda: seller.get("/v1/me").status_code == 401, timeout=5)
