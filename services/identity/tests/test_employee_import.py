"""Imports of employees: hired or changed by number, one reason for each bad line, and the others go on."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis import files
from chassis.testing.desk import Work, working
from chassis.testing.rpc import Client, Refused
from tongxiao.common.v1 import job_pb2 as pb

from .conftest import Company

HEADER = "工号,姓名,手机,单元编码,入职日期\n"


@pytest.fixture
def work(firm: Company, signing_folder: Path, tmp_path: Path) -> Iterator[Work]:
    settings = {"keycloak_url": "http://127.0.0.1:9", "keycloak_client_secret": "none", "issuer": "http://none"}
    with working(firm.database, str(tmp_path), signing_key_dir=signing_folder, **settings) as found:
        yield found


@pytest.fixture
def admin(firm: Company, work: Work) -> Client:
    return work.know(firm.as_("admin"))


def imported(client: Client, work: Work, lines: str, *, header: str = HEADER, **given: Any) -> pb.ImportJob:
    """An import that was read, previewed and started."""
    key = files.new_key(client.person_id)
    files.put(key, io.BytesIO((header + lines).encode("gb18030")))
    job = {"kind": "employee", "file_key": key, **given}
    made = client("CreateEmployeeImportJob", import_job=job)
    work.finish()
    previewed = client("GetEmployeeImportJob", id=made.id)
    client("StartEmployeeImportJob", id=made.id, etag=previewed.etag)
    work.finish()
    done: pb.ImportJob = client("GetEmployeeImportJob", id=made.id)
    assert (done.progress, done.state) == (previewed.progress, pb.JOB_STATE_DONE)
    return done


def failures(client: Client, job: pb.ImportJob) -> list[tuple[int, str, str]]:
    found = client("ListEmployeeImportRows", import_job_id=job.id, outcome=pb.ROW_OUTCOME_FAILED).rows
    return [(row.number, error.column, error.reason) for row in found for error in row.errors]


def test_people_are_hired_into_their_units_and_told_of(firm: Company, admin: Client, work: Work) -> None:
    job = imported(admin, work, "N100,王小明,13812345678,h1,2026/3/1\nN200,李小红,,s1,\n")
    assert failures(admin, job) == []
    found = {person.number: person for person in admin("ListEmployees", query="N").employees}
    assert (found["N100"].mobile, found["N100"].unit_id) == ("+8613812345678", str(firm.unit["h1"]))
    assert [event["number"] for event in firm.events("person.changed.v1")[-2:]] == ["N100", "N200"]
    assert firm.audited("employee", found["N200"].id) == ["StartEmployeeImportJob"]


def test_one_bad_line_is_one_error_and_stops_nobody(firm: Company, admin: Client, work: Work) -> None:
    lines = "E-seller,占用,,h1,\n,没有工号,,h1,\nN300,手机错,123,h1,\nN400,单元错,,nowhere,\n"
    lines += "N500,好的,,h1,\nN500,重复,,h1,\n"
    job = imported(admin, work, lines)
    assert (job.progress.created, job.progress.failed) == (1, 5)
    assert failures(admin, job) == [
        (2, "工号", "NUMBER_TAKEN"),
        (3, "工号", "FIELD_MISSING"),
        (4, "手机", "MOBILE_INVALID"),
        (5, "单元编码", "UNIT_UNKNOWN"),
        (7, "工号", "NUMBER_TAKEN"),
    ]


def test_people_are_changed_by_number(firm: Company, admin: Client, work: Work) -> None:
    job = imported(admin, work, "E-seller,新名字,,,\nE-other,other先生,,,\n", update_by="number")
    assert (job.progress.updated, job.progress.unchanged) == (1, 1)
    assert admin("GetEmployee", id=str(firm.person["seller"])).name == "新名字"


PLACED = "工号,姓名,单元,岗位,角色,任职日期,入职日期\n"


def placed(admin: Client, number: str) -> list[tuple[str, str, bool]]:
    """Each post that somebody has held: its code, since when, and whether as their main one."""
    (person,) = admin("ListEmployees", query=number).employees
    codes = {post.id: post.code for post in admin("ListPosts").posts}
    found = admin("ListTenures", employee_id=person.id).tenures
    return [(codes[each.post_id], each.start_date, each.main) for each in found]


def vacancies(firm: Company, *codes: str) -> None:
    """Vacant salespeople's posts in the team h2."""
    role = firm.as_("admin")("GetPost", id=str(firm.post["seller"])).role_id
    for code in codes:
        post = {"code": code, "name": "业务员", "role_id": role, "unit_id": str(firm.unit["h2"])}
        firm.as_("admin")("CreatePost", post=post)


def test_people_are_hired_into_posts(firm: Company, admin: Client, work: Work) -> None:
    vacancies(firm, "V1", "V2")
    lines = (
        "N101,甲,,V2,,2026-03-05,2026-03-01\nN102,乙,h2单元,业务员,,,2026-03-01\nN103,丙,h2,,salesperson,,2026-03-01\n"
    )
    job = imported(admin, work, lines, header=PLACED)
    assert placed(admin, "N101") == [("V2", "2026-03-05", True)]
    assert placed(admin, "N102") == [("V1", "2026-03-01", True)]
    assert failures(admin, job) == [(4, "角色", "NO_VACANT_POST")]
    assert admin("ListEmployees", query="N101").employees[0].unit_id == str(firm.unit["h2"])


def test_people_are_moved_to_posts_once(firm: Company, admin: Client, work: Work) -> None:
    vacancies(firm, "V1")
    line = "E-seller,seller先生,h2,业务员,,,\n"
    first = imported(admin, work, line, header=PLACED, update_by="number")
    again = imported(admin, work, line, header=PLACED, update_by="number")
    assert (first.progress.updated, again.progress.unchanged) == (1, 1)
    assert [(code, main) for code, _, main in placed(admin, "E-seller")] == [("V1", True), ("P-seller", True)]


def test_a_post_that_cannot_be_had_is_named(firm: Company, admin: Client, work: Work) -> None:
    vacancies(firm, "V1")
    lines = "N101,甲,h2,没有,,,\nN102,乙,h2,,nobody,,\nN103,丙,,业务员,,,\nN104,丁,,V1,,2026-01-01,2026-03-01\n"
    job = imported(admin, work, lines, header=PLACED)
    assert failures(admin, job) == [
        (2, "岗位", "POST_UNKNOWN"),
        (3, "角色", "ROLE_UNKNOWN"),
        (4, "单元", "FIELD_MISSING"),
        (5, "任职日期", "TENURE_BEFORE_HIRE"),
    ]
    assert not admin("ListEmployees", query="N10").employees


def test_nobody_is_put_into_a_post_that_has_ended(firm: Company, admin: Client, work: Work) -> None:
    vacancies(firm, "V1", "V2")
    (first,) = (post for post in admin("ListPosts").posts if post.code == "V1")
    admin("UpdatePost", post={"id": first.id, "etag": "*", "end_date": "2026-02-28"})
    lines = "N101,甲,,V1,,2026-03-05,2026-03-01\nN102,乙,h2,业务员,,2026-03-05,2026-03-01\n"
    job = imported(admin, work, lines, header=PLACED)
    assert failures(admin, job) == [(2, "岗位", "POST_NOT_VALID")]
    assert placed(admin, "N102") == [("V2", "2026-03-05", True)]


def test_nobody_imports_without_the_right(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        firm.as_("manager")("CreateEmployeeImportJob", import_job={"kind": "employee", "file_key": "x"})
    assert refused.value.reason == "PERMISSION_MISSING"
