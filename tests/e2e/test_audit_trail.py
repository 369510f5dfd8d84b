"""The audit trail over REST: written by acts, sealed by the relays, anchored with each other, searched within reach."""

from typing import Any

from chassis.testing import eventually

from .platform import Platform

VERIFIED = {"findings": [], "complete": True}


def listed(platform: Platform, role: str, service: str, **asked: str) -> list[dict[str, Any]]:
    answer = platform.client(role).get(f"/v1/audit/{service}", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def made(platform: Platform) -> dict[str, Any]:
    """A customer that is gone again: the other tests count them."""
    line = platform.client("director").post("/v1/product-lines", json={"code": "AUDIT", "name": "审计"}).json()
    given = {"name": "审计测试机械", "assignments": [{"lineId": line["id"]}]}
    customer: dict[str, Any] = platform.client("salesperson_h").post("/v1/customers", json=given).json()
    gone = platform.client("director").delete(f"/v1/customers/{customer['id']}", headers={"If-Match": "*"})
    assert gone.status_code == 204, gone.text
    return customer


def test_an_act_is_found_by_who_governs_and_by_nobody_else(platform: Platform) -> None:
    customer = made(platform)
    for role, seen in (("manager_h", True), ("director", True), ("manager_s", False)):
        found = listed(platform, role, "customers", resourceId=customer["id"])
        assert [entry["action"] for entry in found] == (["DeleteCustomer", "CreateCustomer"] if seen else [])
    (entry,) = listed(platform, "manager_h", "customers", resourceId=customer["id"], action="CreateCustomer")
    assert (entry["actorName"], entry["after"]["name"]) == ("salesperson_h", "审计测试机械")
    assert len(entry["traceId"]) == 32
    (masked,) = listed(platform, "admin", "customers", resourceId=customer["id"], action="CreateCustomer")
    assert masked["after"]["name"] == "****"
    refused = platform.client("salesperson_h").get("/v1/audit/customers")
    assert (refused.status_code, refused.json()["reason"]) == (403, "PERMISSION_MISSING")


def test_both_trails_are_sealed_and_anchored_with_each_other(platform: Platform) -> None:
    for service in ("identity", "customers"):
        answer = platform.client("director").get(f"/v1/audit/{service}:verify")
        assert answer.status_code == 200, answer.text
        assert {name: answer.json()[name] for name in VERIFIED} == VERIFIED
    witnesses = {"customers": platform.identity, "identity": platform.customers}
    for service, witness in witnesses.items():
        eventually(lambda service=service, witness=witness: anchored(witness, service), 30)  # type: ignore[misc]


def anchored(witness: Any, service: str) -> int:
    with witness.admin() as connection:
        row = connection.execute("SELECT count(*) FROM audit_anchors WHERE service = %s", (service,)).fetchone()
        return int(row[0])
