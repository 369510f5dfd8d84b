"""Duplicates over REST: told the unit and no more, asked to join, let in; merged, and brought back."""

from typing import Any

import pytest

from customers.facts import check_character

from .platform import Platform

BODY = "91330100MA9000001"
CODE = BODY + check_character(BODY)


@pytest.fixture(scope="module")
def line(platform: Platform) -> str:
    answer = platform.client("director").post("/v1/product-lines", json={"code": "DUP", "name": "查重"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def created(platform: Platform, username: str, line: str, **given: Any) -> Any:
    body = {"name": "杭州查重机械有限公司", "assignments": [{"lineId": line}], **given}
    return platform.client(username).post("/v1/customers", json=body)


def test_a_double_elsewhere_is_asked_for_and_shared(platform: Platform, line: str) -> None:
    owner, asker = platform.client("salesperson_s"), platform.client("salesperson_h")
    made = created(platform, "salesperson_s", line, creditCode=CODE)
    assert made.status_code == 201, made.text
    told = created(platform, "salesperson_h", line, creditCode=CODE)
    assert told.status_code == 409, told.text
    assert (told.json()["reason"], told.json()["metadata"]) == ("DUPLICATE_ELSEWHERE", {"unitName": "s1"})
    assert made.json()["id"] not in told.text
    asked = asker.post("/v1/customers:askToJoin", json={"creditCode": CODE, "note": "同一集团"})
    assert asked.status_code == 200, asked.text
    (waiting,) = owner.get("/v1/join-requests").json()["joinRequests"]
    answer = {"state": "JOIN_REQUEST_STATE_ACCEPTED", "level": "SHARE_LEVEL_READ"}
    path = f"/v1/join-requests/{waiting['id']}:answer"
    answered = owner.post(path, json=answer, headers={"If-Match": f'"{waiting["etag"]}"'})
    assert answered.status_code == 200, answered.text
    assert asker.get(f"/v1/customers/{made.json()['id']}").status_code == 200


def test_near_doubles_are_found_merged_and_brought_back(platform: Platform, line: str) -> None:
    manager = platform.client("manager_h")
    winner, loser = (
        created(platform, "salesperson_h2", line, name=name).json() for name in ("查重电子有限公司", "查重电子")
    )
    found = manager.get("/v1/customers:duplicates", params={"name": "查重电子集团"}).json()["duplicates"]
    assert {each["customer"]["id"] for each in found} == {winner["id"], loser["id"]}
    groups = manager.get("/v1/customer-duplicates").json()["groups"]
    assert "查重电子" in {group["key"] for group in groups}
    path = f"/v1/customers/{winner['id']}:merge"
    merged = manager.post(path, json={"loserId": loser["id"]}, headers={"If-Match": '"1"'})
    assert merged.status_code == 200, merged.text
    gone = manager.get(f"/v1/customers/{loser['id']}")
    assert (gone.status_code, gone.json()["reason"]) == (404, "MERGED_INTO")
    assert gone.json()["metadata"] == {"customerId": winner["id"]}
    refused = platform.client("salesperson_h2").post(f"/v1/customers/{loser['id']}:unmerge", json={})
    assert refused.status_code == 403, refused.text
    assert manager.post(f"/v1/customers/{loser['id']}:unmerge", json={}).status_code == 200
    assert manager.get(f"/v1/customers/{loser['id']}").status_code == 200


def test_a_registration_protects(platform: Platform, line: str) -> None:
    given = {"lineId": line, "name": "报备电子有限公司", "divisionCode": "330100"}
    made = platform.client("salesperson_s").post("/v1/registrations", json=given)
    assert made.status_code == 201, made.text
    told = created(platform, "salesperson_h", line, name="报备电子", divisionCode="330100")
    assert (told.status_code, told.json()["reason"]) == (409, "REGISTERED_ELSEWHERE")
    extended = platform.client("manager_s").post(
        f"/v1/registrations/{made.json()['id']}:extend", json={}, headers={"If-Match": made.headers["etag"]}
    )
    assert extended.status_code == 200, extended.text
    assert extended.json()["extended"] is True
