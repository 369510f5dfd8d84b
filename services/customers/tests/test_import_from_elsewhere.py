"""Files as HubSpot and Odoo export them, and files that cannot be taken as they are."""

from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import text

from chassis.testing.desk import Work
from chassis.testing.rpc import Client
from customers.importing import markup
from tongxiao.common.v1 import job_pb2 as pb

from . import making
from .conftest import Company, Staff
from .making import refused, rows
from .test_import import HEADER, csv_of, failures, imported, started
from .test_merging import line


@pytest.fixture
def manager(staff: Staff, work: Work) -> Client:
    return work.know(staff.manager())


def named(company: Company, person: object, name: str) -> None:
    with company.database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE org_people SET name_en = :name WHERE id = :id"), {"name": name, "id": person})


HUBSPOT_COMPANIES = csv_of(
    ("Record ID", "Company Domain Name", "Company name", "Website URL", "Company owner", "Phone Number", "City"),
    ("901", "acme.cn", "Acme Tools", "https://www.acme.cn", "Wei Wang", "0571-88886666", "Hangzhou"),
)


def test_companies_of_hubspot_come_with_site_owner_and_town(company: Company, staff: Staff, work: Work) -> None:
    manager, seller = work.know(staff.manager()), staff.seller("h1")
    named(company, seller.person_id, "Wei Wang")
    named(company, staff.seller("s1").person_id, "Wei Wang")
    job = started(manager, work, imported(manager, work, HUBSPOT_COMPANIES))
    assert failures(manager, job) == []
    (made,) = manager("ListCustomers").customers
    assert (made.name, made.website, made.address) == ("Acme Tools", "https://www.acme.cn", "Hangzhou")
    assert made.assignments[0].owner_id == str(seller.person_id)


def test_a_name_that_two_colleagues_have_asks_for_the_number(company: Company, staff: Staff, work: Work) -> None:
    manager = work.know(staff.manager())
    for team in ("h1", "h2"):
        named(company, staff.seller(team).person_id, "Wei Wang")
    job = imported(manager, work, HUBSPOT_COMPANIES)
    assert failures(manager, job) == [(2, "Company owner", "OWNER_AMBIGUOUS")]
    stranger = imported(manager, work, HUBSPOT_COMPANIES.replace(b"Wei Wang", b"Nobody"))
    assert failures(manager, stranger) == [(2, "Company owner", "OWNER_UNKNOWN")]


@pytest.mark.parametrize(
    ("industry", "code", "told"),
    [
        ("COMPUTER_SOFTWARE", "I65", []),
        ("Computer Software", "I65", []),
        ("Hospital & Health Care", "Q", []),
        ("c35", "C35", []),
        ("制造业", "C", []),
        ("UNHEARD_OF", "", [("Industry", "VALUE_IGNORED")]),
    ],
)
def test_an_industry_is_kept_if_it_is_known_and_else_left_out_and_told(
    manager: Client, work: Work, industry: str, code: str, told: list[tuple[str, str]]
) -> None:
    job = started(manager, work, imported(manager, work, csv_of(("Name", "Industry"), ("Acme", industry))))
    (row,) = manager("ListImportRows", import_job_id=job.id).rows
    assert row.outcome == pb.ROW_OUTCOME_CREATED
    assert [(error.column, error.reason) for error in row.errors] == told
    assert (manager("ListCustomers").customers[0].industry, job.failed_rows_key) == (code, "")


def test_where_hubspot_says_a_company_came_from_is_known(manager: Client, work: Work) -> None:
    lines = [("甲", "ORGANIC_SEARCH"), ("乙", "Offline Sources"), ("丙", "REFERRALS")]
    started(manager, work, imported(manager, work, csv_of(("Name", "Original Source"), *lines)))
    assert {each.name: each.source for each in manager("ListCustomers").customers} == {"甲": 4, "乙": 6, "丙": 2}


def test_contacts_of_hubspot_have_their_names_joined_as_their_script_has_it(
    company: Company, manager: Client, work: Work
) -> None:
    making.customer(manager, company, name="Acme Tools")
    content = csv_of(
        ("First Name", "Last Name", "Email", "Mobile Phone Number", "Associated Company"),
        ("Wei", "Wang", "wei@acme.cn", "13812345678", "Acme Tools"),
        ("娜娜", "欧阳", "", "", "Acme Tools"),
        ("", "Li", "", "", "Acme Tools"),
        ("", "", "x@acme.cn", "", "Acme Tools"),
    )
    job = started(manager, work, imported(manager, work, content, kind="contact"))
    assert failures(manager, job) == [(5, "name", "FIELD_MISSING")]
    found = {contact.name: contact.mobile for contact in manager("ListContacts").contacts}
    assert found == {"Wei Wang": "+8613812345678", "欧阳娜娜": "", "Li": ""}


ODOO = csv_of(
    ("Complete Name", "Is a Company", "Related Company", "Street", "Street2", "City", "Mobile", "Notes"),
    ("远山机械", "True", "", "文三路1号", "2楼", "杭州市", "13812345678", "<p>老客户</p><p>季度<b>返利</b></p>"),
    ('"远山机械, 王伟"', "False", "远山机械", "", "", "", "13900000000", ""),
)


def test_companies_of_odoo_come_without_their_people(manager: Client, work: Work) -> None:
    job = started(manager, work, imported(manager, work, ODOO))
    assert (job.progress.created, job.progress.unchanged, job.progress.failed) == (1, 1, 0)
    (passed,) = manager("ListImportRows", import_job_id=job.id, outcome=pb.ROW_OUTCOME_UNCHANGED).rows
    assert [(error.column, error.reason) for error in passed.errors] == [("Is a Company", "NOT_A_COMPANY")]
    (made,) = manager("ListCustomers").customers
    assert (made.address, made.note) == ("杭州市文三路1号2楼", "老客户\n季度返利")
    assert made.phones == ["+8613812345678"]


@pytest.mark.parametrize(
    ("province", "city", "street", "address"),
    [
        ("上海市 (CN)", "上海市", "浦东新区张江路1号", "上海市浦东新区张江路1号"),
        ("Shanghai (CN)", "上海", "浦东新区张江路1号", "上海浦东新区张江路1号"),
        ("上海", "上海市", "上海浦东新区张江路1号", "上海浦东新区张江路1号"),
        ("上海市", "上海市", "上海市浦东新区张江路1号", "上海市浦东新区张江路1号"),
        ("上海市", "", "上海路1号", "上海市上海路1号"),
        ("上海市", "上海市", "南京路1号", "上海市南京路1号"),
        ("吉林省", "吉林市", "吉林大街1号", "吉林省吉林市吉林大街1号"),
        ("吉林省", "吉林市", "吉林市吉林大街1号", "吉林省吉林市吉林大街1号"),
        ("浙江省（CN）", "杭州市", "浙江杭州市文三路1号", "浙江杭州市文三路1号"),
        ("Beijing (CN)", "Beijing", "1 Jianguo Road", "1 Jianguo Road, Beijing"),
        ("Zhejiang (CN)", "Hangzhou", "1 Wensan Road", "1 Wensan Road, Hangzhou, Zhejiang"),
    ],
)
def test_an_address_says_each_of_its_parts_once(
    manager: Client, work: Work, province: str, city: str, street: str, address: str
) -> None:
    content = csv_of(("Name", "State", "City", "Street"), ("远山机械", province, city, street))
    started(manager, work, imported(manager, work, content))
    assert manager("ListCustomers").customers[0].address == address


def test_people_of_odoo_come_without_their_companies(company: Company, manager: Client, work: Work) -> None:
    customer = making.customer(manager, company, name="远山机械")
    job = started(manager, work, imported(manager, work, ODOO, kind="contact"))
    assert (job.progress.created, job.progress.unchanged, job.progress.failed) == (1, 1, 0)
    (made,) = manager("ListContacts").contacts
    assert (made.name, made.places[0].customer_id) == ("王伟", customer.id)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>一</p>\n<p>二<br/>三</p>", "一\n二\n三"),
        ("a &lt; b &amp; c", "a &lt; b &amp; c"),
        ("<ul><li>a &lt; b</li><li>c</li></ul>", "a < b\nc"),
        ("<div><script>alert(1)</script>见<a href='x'>此</a></div>", "见此"),
        ("价格 <5000 而 >3000", "价格 <5000 而 >3000"),
    ],
)
def test_markup_becomes_text_and_what_is_none_stays(text: str, plain: str) -> None:
    assert markup.plain(text) == plain


def test_of_several_lines_the_job_asks_for_one_once(company: Company, manager: Client, work: Work) -> None:
    line(company, "L2")
    job = imported(manager, work, csv_of(HEADER, *((f"客户{n}", "", "", "", "") for n in range(3))))
    assert (job.state, job.reason, job.progress.done) == (pb.JOB_STATE_WAITING, "LINE_DEFAULT_MISSING", 0)
    refusal = refused(lambda: manager("StartImportJob", id=job.id, etag=job.etag))
    assert (refusal.reason, refusal.fields) == ("LINE_DEFAULT_MISSING", ["import_job.defaults"])
    given = {"id": job.id, "etag": job.etag, "defaults": {"line": "设备"}}
    manager("UpdateImportJob", import_job=given, update_mask={"paths": ["defaults"]})
    work.finish()
    job = manager("GetImportJob", id=job.id)
    done = started(manager, work, job)
    assert (job.reason, done.progress.created, failures(manager, done)) == ("", 3, [])


def test_a_sheet_that_is_not_there_tells_those_that_are(manager: Client, work: Work, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("客户", "联系人"):
            book.add_worksheet(name)
    job = imported(manager, work, path.read_bytes(), sheet="公司")
    assert (job.state, job.reason, list(job.sheets)) == (pb.JOB_STATE_FAILED, "SHEET_UNKNOWN", ["客户", "联系人"])


def test_a_file_of_a_header_alone_is_empty(company: Company, manager: Client, work: Work) -> None:
    job = imported(manager, work, csv_of(HEADER))
    assert (job.state, job.reason) == (pb.JOB_STATE_FAILED, "FILE_EMPTY")
    assert not rows(company, "SELECT 1 FROM job_rows")


def test_records_are_found_by_a_key_and_by_nothing_else(manager: Client, work: Work) -> None:
    refusal = refused(lambda: imported(manager, work, csv_of(HEADER, ("甲", "", "", "", "")), update_by="name"))
    assert (refusal.reason, refusal.fields) == ("INVALID_FIELD", ["import_job.update_by"])
    assert refusal.metadata == {"allowed": "id, credit_code"}


def test_fields_go_by_their_names_in_camel_case_too(manager: Client, work: Work) -> None:
    content = csv_of(("叫什么", "简"), ("远山机械", "远山"))
    mapping = {"叫什么": "name", "简": "shortName"}
    job = imported(manager, work, content, mapping=mapping, defaults={"creditCode": ""}, update_by="creditCode")
    assert (dict(job.mapping)["简"], job.update_by) == ("short_name", "credit_code")
    started(manager, work, job)
    assert manager("ListCustomers").customers[0].short_name == "远山"
