"""Long work over REST, with every process of the platform: a file goes in, records and a file come out."""

from typing import Any
from urllib.parse import quote

import httpx

from chassis.testing import eventually

from .platform import Platform


def settled(client: httpx.Client, path: str) -> dict[str, Any]:
    """A job, once it waits for somebody or is over."""

    def found() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(path).json()
        return job if job["state"] != "JOB_STATE_ACTIVE" else None

    return eventually(found, timeout=60)


def test_a_salesperson_imports_their_list_and_its_failed_rows_come_back(platform: Platform) -> None:
    director, seller = platform.client("director"), platform.client("salesperson_h")
    line = director.post("/v1/product-lines", json={"code": "IMP", "name": "导入线"})
    assert line.status_code == 201, line.text
    lines = ["客户名称,电话,业务线", "导入甲,0571-88886666,IMP", "导入乙,abc,IMP", ",,IMP"]
    kept = seller.post("/v1/files", params={"name": "名单.csv"}, content="\n".join(lines).encode("gb18030"))
    assert kept.status_code == 201, kept.text
    job = seller.post("/v1/imports", json={"kind": "customer", "fileKey": kept.json()["key"], "fileName": "名单.csv"})
    previewed = settled(seller, f"/v1/imports/{job.json()['id']}")
    assert (previewed["preview"], previewed["progress"]["created"], previewed["progress"]["failed"]) == (True, 1, 2)
    assert not seller.get("/v1/customers:search", params={"query": "导入甲"}).json()["customers"]
    path = f"/v1/imports/{previewed['id']}"
    assert seller.post(f"{path}:start", headers={"If-Match": f'"{previewed["etag"]}"'}).status_code == 200
    done = settled(seller, path)
    assert (done["state"], done["progress"]["created"]) == ("JOB_STATE_DONE", 1)
    (found,) = seller.get("/v1/customers:search", params={"query": "导入甲"}).json()["customers"]
    assert (found["phones"], found["assignments"][0]["ownerId"]) == (
        ["+8657188886666"],
        str(platform.people["salesperson_h"]),
    )
    fetched = seller.get(f"/v1/files/{done['failedRowsKey']}", headers={"Accept-Language": "en"})
    assert fetched.headers["content-disposition"].endswith(quote("名单 failed rows.csv"))
    failed = fetched.content.decode("utf-8-sig").splitlines()
    assert failed[0] == "客户名称,电话,业务线,失败原因 Reason"
    assert [row.split(",")[0] for row in failed[1:]] == ["导入乙", ""]
    assert platform.client("salesperson_s").get(path).status_code == 404


def test_an_export_holds_the_managers_branch_and_can_be_fetched_by_nobody_else(platform: Platform) -> None:
    manager = platform.client("manager_h")
    job = manager.post("/v1/exports", json={"kind": "EXPORT_KIND_CUSTOMERS", "format": "EXPORT_FORMAT_XLSX"})
    assert job.status_code == 201, job.text
    done = settled(manager, f"/v1/exports/{job.json()['id']}")
    fetched = manager.get(f"/v1/files/{done['fileKey']}")
    assert (fetched.status_code, fetched.content[:2]) == (200, b"PK")
    assert f'filename="{done["fileName"]}"' in fetched.headers["content-disposition"]
    assert platform.client("director").get(f"/v1/files/{done['fileKey']}").status_code == 404
    assert (
        platform.client("salesperson_h").post("/v1/exports", json={"kind": "EXPORT_KIND_CUSTOMERS"}).status_code == 403
    )


def test_an_administrator_imports_employees(platform: Platform) -> None:
    admin = platform.client("admin")
    key = admin.post("/v1/files", content="工号,姓名,单元编码\nIMP01,导入员工,h1\n".encode()).json()["key"]
    job = admin.post("/v1/employee-imports", json={"kind": "employee", "fileKey": key}).json()
    previewed = settled(admin, f"/v1/employee-imports/{job['id']}")
    assert previewed["progress"]["created"] == 1, previewed
    path = f"/v1/employee-imports/{job['id']}"
    assert admin.post(f"{path}:start", headers={"If-Match": f'"{previewed["etag"]}"'}).status_code == 200
    assert settled(admin, path)["state"] == "JOB_STATE_DONE"
    assert [found["name"] for found in admin.get("/v1/employees?query=IMP01").json()["employees"]] == ["导入员工"]
