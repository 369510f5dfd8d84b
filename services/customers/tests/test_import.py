"""Imports: read, previewed, mapped, started; every row's fate told, nothing done twice, nothing done in vain."""

import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chassis import files
from chassis.caller import FieldAccess
from chassis.errors import sentence
from chassis.testing.desk import Work
from chassis.testing.rpc import Client, Refused, grant
from tongxiao.common.v1 import job_pb2 as pb

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import code, refusal, rows

HEADER = ("公司名称", "统一社会信用代码", "电话", "等级", "备注")


@pytest.fixture
def seller(staff: Staff, work: Work) -> Client:
    return work.know(staff.seller())


def csv_of(header: Sequence[str], *lines: Sequence[str], encoding: str = "utf-8") -> bytes:
    return "\r\n".join(",".join(cells) for cells in (header, *lines)).encode(encoding)


def upload(client: Client, content: bytes) -> str:
    key = files.new_key(client.person_id)
    files.put(key, io.BytesIO(content))
    return key


def imported(client: Client, work: Work, content: bytes, **given: Any) -> pb.ImportJob:
    """An import that was read and previewed."""
    job = {"kind": "customer", "file_key": upload(client, content), "file_name": "客户.csv", **given}
    made = client("CreateImportJob", import_job=job)
    work.finish()
    found: pb.ImportJob = client("GetImportJob", id=made.id)
    return found


def started(client: Client, work: Work, job: pb.ImportJob) -> pb.ImportJob:
    client("StartImportJob", id=job.id, etag=job.etag)
    work.finish()
    done: pb.ImportJob = client("GetImportJob", id=job.id)
    return done


def failures(client: Client, job: pb.ImportJob) -> list[tuple[int, str, str]]:
    found = client("ListImportRows", import_job_id=job.id, outcome=pb.ROW_OUTCOME_FAILED).rows
    return [(row.number, error.column, error.reason) for row in found for error in row.errors]


def errors(client: Client, job: pb.ImportJob) -> list[tuple[pb.ImportRow, pb.RowError]]:
    return [(row, error) for row in client("ListImportRows", import_job_id=job.id).rows for error in row.errors]


GOOD = csv_of(
    HEADER, ("杭州远山机械有限公司", code(1), "0571-88886666", "重点", "老客户"), ("宁波甬江电子", "", "", "B", "")
)


def test_a_preview_tells_what_would_be_and_changes_nothing(company: Company, seller: Client, work: Work) -> None:
    job = imported(seller, work, GOOD)
    assert (job.state, job.preview, job.progress.created) == (pb.JOB_STATE_WAITING, True, 2)
    assert [(column.name, column.field) for column in job.columns][:3] == [
        ("公司名称", "name"),
        ("统一社会信用代码", "credit_code"),
        ("电话", "phones"),
    ]
    for table in ("customers", "assignments", "outbox"):
        assert rows(company, f"SELECT count(*) FROM {table}")[0][0] == 0


def test_what_was_previewed_is_what_happens(company: Company, seller: Client, work: Work) -> None:
    job = started(seller, work, imported(seller, work, GOOD))
    assert (job.state, job.progress.created, job.progress.failed) == (pb.JOB_STATE_DONE, 2, 0)
    found = {customer.name: customer for customer in seller("ListCustomers").customers}
    first = found["杭州远山机械有限公司"]
    assert (first.phones[0], first.tier, first.note) == ("+8657188886666", 1, "老客户")
    assert first.assignments[0].owner_id == str(seller.person_id)
    told = rows(company, "SELECT type, lane FROM outbox")
    assert [(row.type, row.lane) for row in told] == [("customer.changed.v1", 1)] * 2
    assert rows(company, "SELECT count(*) FROM assignment_periods")[0][0] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_of_spreadsheets_is_read(seller: Client, work: Work, encoding: str) -> None:
    job = imported(seller, work, GOOD.decode().encode(encoding))
    assert (job.columns[0].name, job.progress.created) == ("公司名称", 2)


def test_a_workbook_is_read_with_its_days_and_numbers(seller: Client, work: Work, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet, day = book.add_worksheet("客户"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ("客户名称", "电话", "下次联系日", "备注"))
        sheet.write_row(1, 0, ("远山机械", 13812345678))
        sheet.write_datetime(1, 2, date(2027, 1, 5), day)
        sheet.write_formula(1, 3, "=1+1", value=2)
        sheet.merge_range(2, 0, 2, 1, "甬江电子")
    job = started(seller, work, imported(seller, work, path.read_bytes()))
    assert job.progress.created == 2
    found = {customer.name: customer for customer in seller("ListCustomers").customers}["远山机械"]
    assert (found.phones[0], found.next_contact_date, found.note) == ("+8613812345678", "2027-01-05", "2")


def test_each_bad_row_is_told_by_column_and_reason_and_the_others_go_on(seller: Client, work: Work) -> None:
    content = csv_of(
        HEADER,
        ("", code(1), "", "", ""),
        ("校验位错", "91330100MA2CFJ8N7B", "", "", ""),
        ("电话错", "", "abc", "", ""),
        ("等级错", "", "", "钻石", ""),
        ("控制符\x07", "", "", "", ""),
        ("太长" * 200, "", "", "", ""),
        ("多一格", "", "", "", "", "x"),
        ("好的", code(2), "", "", ""),
        ("重复的", code(2), "", "", ""),
    )
    job = started(seller, work, imported(seller, work, content))
    assert (job.state, job.progress.created, job.progress.failed) == (pb.JOB_STATE_DONE, 1, 8)
    assert failures(seller, job) == [
        (2, "公司名称", "FIELD_MISSING"),
        (3, "统一社会信用代码", "CREDIT_CODE_INVALID"),
        (4, "电话", "PHONE_INVALID"),
        (5, "等级", "VALUE_UNKNOWN"),
        (6, "公司名称", "FORBIDDEN_CHARACTERS"),
        (7, "公司名称", "INVALID_FIELD"),
        (8, "", "ROW_TOO_LONG"),
        (10, "统一社会信用代码", "ROW_TWICE"),
    ]


def test_the_failed_rows_come_back_in_their_own_columns(seller: Client, work: Work) -> None:
    content = csv_of(HEADER, ("=1+1", "91330100MA2CFJ8N7B", "", "", ""), ("好的", "", "", "", ""))
    job = started(seller, work, imported(seller, work, content))
    with files.fetched(job.failed_rows_key) as path:
        lines = path.read_text("utf-8-sig").splitlines()
    assert lines[0] == ",".join((*HEADER, "失败原因 Reason"))
    assert lines[1].startswith("'=1+1,91330100MA2CFJ8N7B,,,,统一社会信用代码: 统一社会信用代码校验未通过")
    assert files.is_of(job.failed_rows_key, seller.person_id)


def test_columns_in_any_order_are_mapped_otherwise_and_previewed_anew(seller: Client, work: Work) -> None:
    job = imported(seller, work, csv_of(("说明栏", "叫什么"), ("x", "远山机械"), ("y", "甬江电子")))
    assert job.progress.failed == 2
    changed = {"id": job.id, "etag": job.etag, "mapping": {"说明栏": "note", "叫什么": "name"}}
    seller("UpdateImportJob", import_job=changed, update_mask={"paths": ["mapping"]})
    work.finish()
    job = seller("GetImportJob", id=job.id)
    assert (job.preview, job.progress.created, job.progress.failed) == (True, 2, 0)


def test_a_mapping_to_nowhere_is_refused(seller: Client, work: Work) -> None:
    job = imported(seller, work, GOOD)
    changed = {"id": job.id, "etag": job.etag, "mapping": {"公司名称": "nothing"}}
    with pytest.raises(Refused) as refused:
        seller("UpdateImportJob", import_job=changed, update_mask={"paths": ["mapping"]})
    assert refused.value.reason == "MAPPING_INVALID"


def test_rows_update_the_customers_they_name_and_leave_what_they_do_not_say(
    company: Company, seller: Client, work: Work
) -> None:
    before = making.customer(seller, company, name="旧名", credit_code=code(1), note="保留")
    content = csv_of(("信用代码", "客户名称"), (code(1), "新名"), (code(2), "另一家"))
    job = started(seller, work, imported(seller, work, content, update_by="credit_code"))
    assert (job.progress.updated, job.progress.created) == (1, 1)
    after = seller("GetCustomer", id=before.id)
    assert (after.name, after.note, after.etag) == ("新名", "保留", "2")


def test_another_branchs_customer_is_neither_changed_nor_shown(
    company: Company, staff: Staff, seller: Client, work: Work
) -> None:
    theirs = making.customer(staff.seller("s1"), company, credit_code=code(1))
    content = csv_of(("信用代码", "客户名称"), (code(1), "我的"))
    job = started(seller, work, imported(seller, work, content, update_by="credit_code"))
    assert failures(seller, job) == [(2, "信用代码", "DUPLICATE_ELSEWHERE")]
    assert not seller("ListImportRows", import_job_id=job.id).rows[0].resource_id
    assert rows(company, "SELECT name FROM customers WHERE id = :id", id=theirs.id)[0].name == theirs.name


def test_an_owner_beyond_reach_is_refused(company: Company, staff: Staff, work: Work) -> None:
    manager = work.know(staff.manager())
    stranger = company.hire(company.team["s1"])
    number = rows(company, "SELECT number FROM org_people WHERE id = :id", id=str(stranger))[0].number
    job = started(
        manager, work, imported(manager, work, csv_of(("名称", "客户名称", "负责人工号"), ("", "远山", number)))
    )
    assert failures(manager, job) == [(2, "unit", "UNIT_BEYOND_REACH")]


def test_contacts_find_their_customers_by_code_or_name(company: Company, seller: Client, work: Work) -> None:
    making.customer(seller, company, name="远山机械", credit_code=code(1))
    content = csv_of(
        ("姓名", "公司名称", "手机", "职务", "角色"),
        ("李四", code(1), "13812345678", "采购经理", "采购"),
        ("王五", "远山机械", "", "", ""),
        ("赵六", "没有这家", "", "", ""),
    )
    job = started(seller, work, imported(seller, work, content, kind="contact"))
    assert (job.progress.created, failures(seller, job)) == (2, [(4, "公司名称", "CUSTOMER_UNKNOWN")])
    found = {contact.name: contact for contact in seller("ListContacts").contacts}
    assert (found["李四"].mobile, found["李四"].places[0].job_title) == ("+8613812345678", "采购经理")


@pytest.fixture
def masked(company: Company, staff: Staff, work: Work) -> Client:
    """Somebody of a team who reads its numbers in part."""
    unit, shown = company.team["h1"], dict.fromkeys(CLEAR, FieldAccess.MASKED)
    return work.know(staff.with_(grant(*ALL, unit=unit, governs=[unit], fields=shown), home=unit))


def test_who_may_create_contacts_imports_their_numbers_though_they_read_them_in_part(
    company: Company, staff: Staff, masked: Client, work: Work
) -> None:
    making.customer(masked, company, name="远山机械")
    content = csv_of(("姓名", "公司名称", "手机"), ("李四", "远山机械", "13812345678"))
    job = started(masked, work, imported(masked, work, content, kind="contact"))
    assert (job.progress.created, failures(masked, job)) == (1, [])
    assert masked("ListContacts").contacts[0].mobile == "+86138****5678"
    assert staff.director()("ListContacts").contacts[0].mobile == "+8613812345678"


@pytest.mark.parametrize(
    ("name", "cell", "kept"),
    [
        ("李思思", "+86138****5678", "+8613812345678"),
        ("李思思", "13900000000", "+8613900000000"),
        ("李四", "13812345678", "+8613812345678"),
    ],
)
def test_a_row_leaves_a_number_that_comes_back_masked_and_replaces_it_by_another(
    company: Company, staff: Staff, masked: Client, work: Work, name: str, cell: str, kept: str
) -> None:
    contact = making.contact(masked, making.customer(masked, company))
    content = csv_of(("编号", "姓名", "手机"), (contact.id, name, cell))
    job = started(masked, work, imported(masked, work, content, kind="contact", update_by="id"))
    assert (job.progress.updated, failures(masked, job)) == (1, [])
    assert staff.director()("GetContact", id=contact.id).mobile == kept


def test_a_row_brings_no_contact_that_is_at_the_customer_already(company: Company, seller: Client, work: Work) -> None:
    making.contact(seller, making.customer(seller, company, name="远山机械"))
    making.customer(seller, company, name="甬江电子")
    rows_ = [
        ("李经理", "远山机械", "13812345678"),
        ("李四", "甬江电子", "13812345678"),
        ("李", "甬江电子", "13812345678"),
    ]
    content = csv_of(("姓名", "公司名称", "手机"), *rows_)
    job = started(seller, work, imported(seller, work, content, kind="contact"))
    told = [(2, "手机", "CONTACT_EXISTS"), (4, "手机", "ROW_TWICE")]
    assert (job.progress.created, failures(seller, job)) == (1, told)


def test_a_row_changes_no_phone_of_a_customer_that_is_read_in_part(
    company: Company, staff: Staff, masked: Client, work: Work
) -> None:
    customer = making.customer(masked, company, phones=["+8613812345678"])
    content = csv_of(
        ("编号", "客户名称", "电话"), (customer.id, "新名", "+86138****5678"), (customer.id, "新名", "13900000000")
    )
    job = started(masked, work, imported(masked, work, content, update_by="id"))
    assert job.progress.updated == 1
    assert staff.director()("GetCustomer", id=customer.id).phones == ["+8613812345678"]


def test_who_has_lost_the_right_meanwhile_imports_nothing(company: Company, seller: Client, work: Work) -> None:
    job = imported(seller, work, GOOD)
    seller("StartImportJob", id=job.id, etag=job.etag)
    work.forget(seller)
    work.finish()
    after = seller("GetImportJob", id=job.id)
    assert (after.state, after.reason) == (pb.JOB_STATE_FAILED, "PERMISSION_MISSING")
    assert rows(company, "SELECT count(*) FROM customers")[0][0] == 0


def test_a_step_that_dies_is_done_once_by_the_next(
    company: Company, seller: Client, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chassis import jobs

    monkeypatch.setattr(jobs, "STEP", 2)
    lines = [(f"客户{n}", "", "", "", "") for n in range(7)]
    job = imported(seller, work, csv_of(HEADER, *lines))
    seller("StartImportJob", id=job.id, etag=job.etag)
    assert work.desk.turn()
    save, calls = jobs.save, []

    def dying(session: Any, given: Any) -> None:
        save(session, given)
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("the process dies")

    monkeypatch.setattr(jobs, "save", dying)
    work.finish()
    after = seller("GetImportJob", id=job.id)
    assert (after.state, after.progress.created) == (pb.JOB_STATE_DONE, 7)
    assert rows(company, "SELECT count(*) FROM customers")[0][0] == 7
    assert rows(company, "SELECT count(*) FROM outbox")[0][0] == 7


def test_an_import_is_its_owners_alone(staff: Staff, seller: Client, work: Work) -> None:
    job = imported(seller, work, GOOD)
    other = staff.seller()
    for act in ("GetImportJob", "CancelImportJob"):
        with pytest.raises(Refused) as refused:
            other(act, id=job.id)
        assert refused.value.reason == "NOT_FOUND"
    with pytest.raises(Refused) as refused:
        other("CreateImportJob", import_job={"kind": "customer", "file_key": job.file_key})
    assert refused.value.reason == "FILE_UNKNOWN"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "FILE_EMPTY"),
        (b"\n\n,,\n", "FILE_EMPTY"),
        ("客户名称,电话\n".encode(), "FILE_EMPTY"),
        ("会议纪要：明天交货".encode(), "HEADER_MISSING"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "FILE_UNREADABLE"),
        (b"\xff\xff\xff\xff\xffabc", "FILE_ENCODING"),
        (b"%PDF-1.7 ...", "FILE_UNREADABLE"),
        (b"PK\x03\x04 no workbook", "FILE_UNREADABLE"),
        (",".join(f"c{n}" for n in range(300)).encode(), "TOO_MANY_COLUMNS"),
        (b"name\n" + b"x\n" * 200_001, "TOO_MANY_ROWS"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(seller: Client, work: Work, content: bytes, reason: str) -> None:
    job = imported(seller, work, content)
    assert (job.state, job.reason) == (pb.JOB_STATE_FAILED, reason)
    assert (job.text, job.text_en) == sentence(reason) != ("", "")


def test_a_cancelled_import_stops_where_it_is(seller: Client, work: Work) -> None:
    job = imported(seller, work, GOOD)
    assert job.progress.created
    cancelled = seller("CancelImportJob", id=job.id)
    assert cancelled.state == pb.JOB_STATE_CANCELLED
    assert cancelled.progress == pb.JobProgress(total=job.progress.total)
    with pytest.raises(Refused) as refused:
        seller("StartImportJob", id=job.id, etag=cancelled.etag)
    assert refused.value.reason == "JOB_NOT_WAITING"


def test_every_act_on_an_import_leaves_its_row(company: Company, seller: Client, work: Work) -> None:
    job = imported(seller, work, csv_of(HEADER, ("远山机械", "", "", "", "")))
    changed = {"id": job.id, "etag": job.etag, "mapping": dict(job.mapping)}
    seller("UpdateImportJob", import_job=changed, update_mask={"paths": ["mapping"]})
    work.finish()
    started(seller, work, seller("GetImportJob", id=job.id))
    seller("CancelImportJob", id=imported(seller, work, csv_of(HEADER, ("甬江电子", "", "", "", ""))).id)
    found = rows(company, "SELECT action FROM audit WHERE resource = 'job' AND unit_ids <> '{}' ORDER BY id")
    acts = ["CreateImportJob", "UpdateImportJob", "StartImportJob", "CreateImportJob", "CancelImportJob"]
    assert [row.action for row in found] == acts


def test_rows_that_double_are_refused_as_creation_refuses_them(
    company: Company, staff: Staff, seller: Client, work: Work
) -> None:
    making.customer(seller, company, credit_code=code(1))
    making.customer(staff.seller("s1"), company, credit_code=code(2), phones=["0571-88886666"])
    given = {"line_id": str(company.line), "name": "报备机械"}
    staff.seller("s1")("CreateRegistration", registration=given)
    lines = [
        ("甲", code(1), "", "", ""),
        ("乙", code(2), "", "", ""),
        ("丙", "", "0571-88886666", "", ""),
        ("丁", code(4), "0571-11112222", "", ""),
        ("戊", code(5), "0571-11112222", "", ""),
        ("报备机械有限公司", "", "", "", ""),
    ]
    job = started(seller, work, imported(seller, work, csv_of(HEADER, *lines)))
    assert failures(seller, job) == [
        (2, "统一社会信用代码", "DUPLICATE_EXISTS"),
        (3, "统一社会信用代码", "DUPLICATE_ELSEWHERE"),
        (4, "电话", "DUPLICATE_ELSEWHERE"),
        (6, "电话", "ROW_TWICE"),
        (7, "公司名称", "REGISTERED_ELSEWHERE"),
    ]


def test_an_import_tells_as_many_doubles_a_day_as_one_by_one_and_a_preview_counts(
    company: Company, staff: Staff, seller: Client, work: Work
) -> None:
    for number in range(22):
        making.customer(staff.seller("s1"), company, credit_code=code(number))
    lines = [(f"客户{number}", code(number), "", "", "") for number in range(21)]
    job = imported(seller, work, csv_of(HEADER, *lines))
    told = [reason for _, _, reason in failures(seller, job)]
    assert told == ["DUPLICATE_ELSEWHERE"] * 20 + ["DUPLICATE_CHECK_LIMIT"]
    assert refusal(lambda: making.customer(seller, company, credit_code=code(21))) == "DUPLICATE_CHECK_LIMIT"
    assert [reason for _, _, reason in failures(seller, started(seller, work, job))] == told
    assert rows(company, "SELECT count(*) FROM audit WHERE resource = 'duplicate_check'")[0][0] == 20


def test_what_an_import_was_refused_may_be_asked_for(
    company: Company, staff: Staff, seller: Client, work: Work
) -> None:
    making.customer(staff.seller("s1"), company, credit_code=code(1))
    staff.seller("s1")("CreateRegistration", registration={"line_id": str(company.line), "name": "甬江电子"})
    imported(seller, work, csv_of(HEADER, ("远山", code(1), "", "", ""), ("甬江电子", "", "", "", "")))
    assert seller("AskToJoin", credit_code=code(1)).id
    assert seller("AskToJoin", name="甬江电子").id


def test_a_row_that_repeats_an_earlier_one_names_it_however_far_apart(
    company: Company, seller: Client, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chassis import jobs

    monkeypatch.setattr(jobs, "STEP", 2)
    lines = [
        ("甲", code(1), "", "", ""),
        ("乙", "", "138 1234 5678", "", ""),
        ("丙", code(2), "abc", "", ""),
        ("丁", code(1).lower(), "", "", ""),
        ("戊", code(2), "", "", ""),
        ("己", "", "138-1234-5678", "", ""),
        ("庚", code(2), "", "", ""),
    ]
    job = imported(seller, work, csv_of(HEADER, *lines))
    repeated = [(row.number, error.reason, error.text_en) for row, error in errors(seller, job)]
    assert repeated == [
        (4, "PHONE_INVALID", "The phone number is not valid"),
        (5, "ROW_TWICE", "It repeats an earlier row of this file (row 2)"),
        (7, "ROW_TWICE", "It repeats an earlier row of this file (row 3)"),
        (8, "ROW_TWICE", "It repeats an earlier row of this file (row 6)"),
    ]
    done = started(seller, work, job)
    assert (done.progress.created, [row.number for row, _ in errors(seller, done)]) == (3, [4, 5, 7, 8])


def test_a_new_customer_of_a_name_like_anothers_is_taken_and_told(company: Company, seller: Client, work: Work) -> None:
    making.customer(seller, company, name="杭州远山机械有限公司")
    content = csv_of(HEADER, ("杭州 远山机械", "", "", "", ""), ("宁波甬江电子", "", "", "", ""))
    job = started(seller, work, imported(seller, work, content))
    found = seller("ListImportRows", import_job_id=job.id, outcome=pb.ROW_OUTCOME_CREATED).rows
    told = [[(error.column, error.reason) for error in row.errors] for row in found]
    assert told == [[("公司名称", "ALIKE_EXISTS")], []]


def test_an_imported_customer_fulfils_its_owners_registration(company: Company, seller: Client, work: Work) -> None:
    made = seller("CreateRegistration", registration={"line_id": str(company.line), "name": "杭州远山机械有限公司"})
    started(seller, work, imported(seller, work, csv_of(HEADER, ("杭州远山机械", "", "", "", ""))))
    found = seller("GetRegistration", id=made.id)
    assert found.customer_id == seller("ListCustomers").customers[0].id
