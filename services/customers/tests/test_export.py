"""Exports: what may be exported, as it may be read, and nothing that a spreadsheet would run."""

import csv
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chassis import clock, files
from chassis.caller import FieldAccess
from chassis.testing.desk import Work
from chassis.testing.rpc import Client, Refused, grant
from tongxiao.common.v1 import job_pb2
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_EXPORT, PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import export_job_pb2 as pb

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import rows


def exported(client: Client, work: Work, **given: Any) -> list[list[str]]:
    """The rows of an export, with its header if that is asked for."""
    first = 0 if given.pop("header", False) else 1
    work.know(client)
    made = client("CreateExportJob", export_job={"kind": pb.EXPORT_KIND_CUSTOMERS, **given})
    work.finish()
    done = client("GetExportJob", id=made.id)
    assert (done.state, done.reason) == (job_pb2.JOB_STATE_DONE, "")
    with files.fetched(done.file_key) as path:
        if given.get("format") == pb.EXPORT_FORMAT_XLSX:
            return [list(map(str, row)) for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()][
                first:
            ]
        return list(csv.reader(path.read_text("utf-8-sig").splitlines()))[first:]


def test_an_export_holds_what_the_caller_reaches(company: Company, staff: Staff, work: Work) -> None:
    making.customer(staff.seller("h1"), company, name="杭州甲")
    making.customer(staff.seller("s1"), company, name="深圳乙")
    assert [row[1] for row in exported(staff.manager("hangzhou"), work)] == ["杭州甲"]
    assert {row[1] for row in exported(staff.director(), work)} == {"杭州甲", "深圳乙"}


def test_who_may_read_everywhere_exports_only_where_they_may_export(company: Company, staff: Staff, work: Work) -> None:
    making.customer(staff.seller("h1"), company, name="杭州甲")
    making.customer(staff.seller("s1"), company, name="深圳乙")
    reading = grant(PERMISSION_CUSTOMER_READ, unit=company.hq, governs=[company.hq], fields=CLEAR)
    exporting = grant(
        *(PERMISSION_CUSTOMER_READ, PERMISSION_CUSTOMER_EXPORT),
        unit=company.hangzhou,
        governs=[company.hangzhou],
        fields=CLEAR,
    )
    client = staff.with_(reading, exporting, home=company.hangzhou)
    assert len(client("ListCustomers").customers) == 2
    assert [row[1] for row in exported(client, work)] == ["杭州甲"]


def test_a_field_that_is_read_in_part_is_exported_in_part(company: Company, staff: Staff, work: Work) -> None:
    making.customer(staff.seller("h1"), company, phones=["+8613812345678"])
    masked = grant(*ALL, unit=company.hq, governs=[company.hq], fields={"customer.phones": FieldAccess.MASKED})
    (row,) = exported(staff.with_(masked, home=company.hq), work)
    assert "+86138****5678" in row


@pytest.mark.parametrize("file_format", [pb.EXPORT_FORMAT_CSV, pb.EXPORT_FORMAT_XLSX])
def test_nothing_in_a_file_is_a_formula(company: Company, staff: Staff, work: Work, file_format: int) -> None:
    making.customer(staff.seller("h1"), company, name='=HYPERLINK("http://x")', note="@sum")
    (row,) = exported(staff.director(), work, format=file_format)
    if file_format == pb.EXPORT_FORMAT_CSV:
        assert (row[1], row[14]) == ('\'=HYPERLINK("http://x")', "'@sum")
    else:
        assert (row[1], row[14]) == ('=HYPERLINK("http://x")', "@sum")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("file_format", [pb.EXPORT_FORMAT_CSV, pb.EXPORT_FORMAT_XLSX])
def test_an_export_can_be_imported_again_and_changes_nothing(
    company: Company, staff: Staff, work: Work, file_format: int, language: str
) -> None:
    seller = staff.seller("h1")
    phones = ["+8613812345678", "+8657188886666", "+12015550123"]
    facts = {"tags": ["老客户", "华东"], "website": "acme.cn", "industry": "C35", "note": "一\n二"}
    kinds = {"tier": 1, "size": 2, "source": 3}
    before = making.customer(seller, company, name="甲", phones=phones, **facts, **kinds)  # type: ignore[arg-type]
    contact = making.contact(seller, before, phone="0571-88886666", birthday="--12-31")
    director = staff.director()
    work.know(director)
    for kind, name in ((pb.EXPORT_KIND_CUSTOMERS, "customer"), (pb.EXPORT_KIND_CONTACTS, "contact")):
        asked = {"kind": kind, "format": file_format, "language": language}
        done = director("CreateExportJob", export_job=asked)
        work.finish()
        key = director("GetExportJob", id=done.id).file_key
        job = director("CreateImportJob", import_job={"kind": name, "file_key": key, "update_by": "id"})
        work.finish()
        assert director("GetImportJob", id=job.id).progress.unchanged == 1
        director("StartImportJob", id=job.id, etag=director("GetImportJob", id=job.id).etag)
        work.finish()
        assert director("GetImportJob", id=job.id).progress.unchanged == 1
    assert (seller("GetCustomer", id=before.id), seller("GetContact", id=contact.id)) == (before, contact)


def test_an_export_is_written_in_the_language_asked_for(company: Company, staff: Staff, work: Work) -> None:
    making.customer(staff.seller("h1"), company, tier=1, size=4, source=1)
    told = {"zh-CN": ("客户名称", "大型", "重点", "自行开发"), "en": ("Name", "large", "A", "prospecting")}
    for language, (title, size, tier, source) in told.items():
        header, row = exported(staff.director(), work, language=language, header=True)
        assert (header[1], row[6], row[7], row[8]) == (title, size, tier, source)


def test_the_trail_tells_what_was_exported(company: Company, staff: Staff, work: Work) -> None:
    making.customer(staff.seller("h1"), company, phones=["+8613812345678"], tags=["老客户"])
    director = staff.director()
    exported(director, work, filter={"tag": "老客户", "phone": "+8613812345678"})
    begun, finished = rows(company, "SELECT action, after FROM audit WHERE resource = 'job' ORDER BY id")
    assert (begun.action, finished.action) == ("CreateExportJob", "FinishExportJob")
    asked = {"kind": "EXPORT_KIND_CUSTOMERS", "format": "EXPORT_FORMAT_CSV"}
    asked["filter"] = {"tag": "老客户", "phone": "+86138****5678"}  # type: ignore[assignment]
    assert begun.after == {"kind": "export", "asked": asked}
    assert (finished.after["asked"], finished.after["rows"]) == (asked, 1)
    assert finished.after["columns"][:2] == ["编号", "客户名称"]
    newest, _ = staff.director()("ListAudit", resource="job").entries
    assert newest.after["rows"] == 1


def test_a_file_is_called_by_what_it_holds_and_its_day(company: Company, staff: Staff, work: Work) -> None:
    director = work.know(staff.director())
    asked = {"kind": pb.EXPORT_KIND_CONTACTS, "format": pb.EXPORT_FORMAT_XLSX}
    assert director("CreateExportJob", export_job=asked).file_name == f"contacts-{clock.today()}.xlsx"


def test_contacts_are_exported_with_their_customers(company: Company, staff: Staff, work: Work) -> None:
    seller = staff.seller("h1")
    making.contact(seller, making.customer(seller, company, name="甲"))
    (row,) = exported(staff.manager(), work, kind=pb.EXPORT_KIND_CONTACTS)
    assert (row[1], row[3], row[4]) == ("李四", "甲", "+86 138 1234 5678")


def test_many_pages_become_one_file(
    company: Company, staff: Staff, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from customers.exporting import operations

    monkeypatch.setattr(operations, "_PAGE", 2)
    seller = staff.seller("h1")
    wanted = {making.customer(seller, company, name=f"客户{n}").name for n in range(5)}
    found = [row[1] for row in exported(staff.manager(), work)]
    assert (set(found), len(found)) == (wanted, 5)


def test_a_filter_on_a_masked_field_is_refused(company: Company, staff: Staff) -> None:
    masked = grant(*ALL, unit=company.hq, governs=[company.hq], fields={"customer.phones": FieldAccess.MASKED})
    client = staff.with_(masked, home=company.hq)
    with pytest.raises(Refused) as refused:
        client("CreateExportJob", export_job={"kind": 1, "filter": {"phone": "+8613812345678"}})
    assert refused.value.reason == "FIELD_NOT_READABLE"
