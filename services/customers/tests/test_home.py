"""What people find first: their day, and how their units stand."""

from datetime import timedelta

from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.testing.rpc import grant
from customers.home import operations
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ
from tongxiao.customers.v1 import customer_pb2 as pb

from . import making
from .conftest import Company, Staff


def counted(company: Company) -> None:
    with transaction(company.database.engine("worker")) as session:
        operations.count_units(session)


def units(report: pb.UnitFiguresReport) -> dict[str, tuple[int, int, int]]:
    return {
        unit.unit_id: (unit.customer_count, unit.recent_record_count, unit.uncontacted_count) for unit in report.units
    }


def test_a_salesperson_sees_whom_to_contact(company: Company, staff: Staff) -> None:
    seller, today = staff.seller(), clock.today()
    for name, days in (("昨天", -1), ("上周", -7), ("今天", 0), ("明天", 1)):
        made = making.customer(seller, company, name=name)
        day = (today + timedelta(days=days)).isoformat()
        seller("UpdateCustomer", customer={"id": made.id, "etag": made.etag, "next_contact_date": day})
    making.customer(staff.seller(), company, name="同事的")
    found = seller("GetCustomerSummary")
    assert [customer.name for customer in found.due_customers] == ["上周", "昨天", "今天"]
    assert (found.owned_count, found.due_today_count, found.overdue_count) == (4, 1, 2)


def test_who_was_contacted_lately_is_not_told_as_uncontacted(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    making.record(seller, making.customer(seller, company, name="甲"))
    making.customer(seller, company, name="乙")
    found = seller("GetCustomerSummary")
    assert (found.owned_count, found.uncontacted_count) == (2, 1)


def test_a_manager_sees_the_teams_below_with_all_they_hold(company: Company, staff: Staff) -> None:
    for team in ("h1", "h1", "h2", "s1"):
        seller = staff.seller(team)
        making.record(seller, making.customer(seller, company))
    making.customer(staff.seller("h2"), company)
    counted(company)
    report = staff.manager("hangzhou")("GetUnitFigures")
    assert units(report) == {
        str(company.hangzhou): (4, 3, 1),
        str(company.team["h1"]): (2, 2, 0),
        str(company.team["h2"]): (2, 1, 1),
    }
    assert report.HasField("count_time")
    whole = units(staff.director()("GetUnitFigures"))
    assert whole.keys() == {str(company.hq), str(company.hangzhou), str(company.shenzhen)}
    assert whole[str(company.hq)] == (5, 4, 1)


def test_a_customer_of_two_units_is_one_customer_above_both(company: Company, staff: Staff) -> None:
    other = staff.director()("CreateProductLine", product_line={"code": "L2", "name": "备件"})
    for teams in (("h1", "h2"), ("h1", "s1"), ("h1", "h1")):
        owned = [company.hire(company.team[team]) for team in teams]
        lines = zip((company.line, other.id), owned, strict=True)
        making.customer(
            staff.director(),
            company,
            name=" ".join(teams),
            assignments=[{"line_id": str(of), "owner_id": str(owner)} for of, owner in lines],
        )
    counted(company)
    branch = units(staff.manager("hangzhou")("GetUnitFigures"))
    assert branch[str(company.hangzhou)] == (3, 0, 3)
    assert (branch[str(company.team["h1"])], branch[str(company.team["h2"])]) == ((3, 0, 3), (1, 0, 1))
    whole = units(staff.director()("GetUnitFigures"))
    assert whole[str(company.hq)] == (3, 0, 3)
    assert (whole[str(company.hangzhou)], whole[str(company.shenzhen)]) == ((3, 0, 3), (1, 0, 1))


def test_who_governs_nothing_sees_no_figures(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("h1"), company)
    counted(company)
    assert not staff.seller("h1")("GetUnitFigures").units
    reading = grant(PERMISSION_CUSTOMER_READ, unit=company.hq)
    assert not staff.with_(reading, home=company.hq)("GetUnitFigures").units


def test_figures_follow_what_changes(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    made = making.customer(seller, company)
    counted(company)
    seller("DeleteCustomer", id=made.id, etag=made.etag)
    counted(company)
    assert units(staff.manager()("GetUnitFigures"))[str(company.team["h1"])] == (0, 0, 0)
    with company.database.engine("owner").connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM unit_figures")) == 0
