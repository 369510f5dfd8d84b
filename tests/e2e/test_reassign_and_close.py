"""A team is dissolved over REST: its customers are handed on in bulk, then it is closed; and what people find first."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

from chassis.testing import eventually

from .platform import Platform
from .test_long_work import settled


def close(platform: Platform, unit: str) -> None:
    answer = platform.client("admin").post(f"/v1/units/{unit}:close", headers={"If-Match": "*"}, json={})
    assert answer.status_code == 200, answer.text


def unit(platform: Platform, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = platform.client("admin").get(f"/v1/units/{id_}").json()
    return found


def test_a_team_is_emptied_in_bulk_and_closed(arena: Callable[[], AbstractContextManager[Platform]]) -> None:
    with arena() as platform:
        admin, manager = platform.client("admin"), platform.client("manager_h")
        line = platform.make("director", "/v1/product-lines", code="CL", name="线")
        below = {"code": "h9", "name": "待撤组", "kind": "UNIT_KIND_TEAM", "parentId": str(platform.units["hangzhou"])}
        team = platform.make("admin", "/v1/units", **below)
        held = {"lineId": line, "ownerId": str(platform.people["manager_h"]), "unitId": str(platform.units["hangzhou"])}
        for number in range(3):
            eventually(lambda: made(platform, name=f"客户{number}", assignments=[held]), timeout=10)  # noqa: B023
        # As they lie there after all who held posts in the team have left.
        with platform.customers.admin() as connection:
            connection.execute("UPDATE assignments SET unit_id = %s", [team])
        close(platform, team)
        eventually(lambda: unit(platform, team)["occupiedBy"], timeout=20)
        found = unit(platform, team)
        assert (found["state"], found["occupiedBy"]) == (
            "UNIT_STATE_ACTIVE",
            [{"service": "customers", "counts": {"customer": 3}}],
        )
        given = {"filter": {"unitId": team}, "ownerIds": [held["ownerId"]], "unitId": held["unitId"]}
        job = manager.post("/v1/reassignments", json=given)
        assert job.status_code == 201, job.text
        path = f"/v1/reassignments/{job.json()['id']}"
        previewed = settled(manager, path)
        assert (previewed["preview"], previewed["progress"]["updated"]) == (True, 3)
        started = manager.post(f"{path}:start", headers={"If-Match": f'"{previewed["etag"]}"'}, json={})
        assert started.status_code == 200, started.text
        assert settled(manager, path)["progress"]["updated"] == 3
        assert len(manager.get(f"{path}/rows").json()["rows"]) == 3
        close(platform, team)
        eventually(lambda: unit(platform, team)["state"] == "UNIT_STATE_CLOSED", timeout=20)
        home = manager.get("/v1/home").json()
        assert (home["customers"]["ownedCount"], home["unavailable"]) == (3, [])
        assert "drifts" not in home
        assert "drifts" in admin.get("/v1/home").json()


def made(platform: Platform, **given: Any) -> str:
    """A customer, once its service knows the units and lines that it names."""
    answer = platform.client("manager_h").post("/v1/customers", json={"id": str(uuid4()), **given})
    return str(answer.json()["id"]) if answer.status_code == 201 else ""
