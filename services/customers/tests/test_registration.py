"""Registration: who came first is protected, and a later one is told the unit and may ask to join."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.envelope import decode
from chassis.testing.rpc import Client, Refused
from tongxiao.customers.v1 import join_request_pb2, registration_pb2

from . import making
from .conftest import Company, Staff
from .making import code, refused, rows
from .test_merging import line

State = registration_pb2.RegistrationState
NAME, DIVISION = "杭州远山机械有限公司", "330100"


def register(client: Client, company: Company, **given: Any) -> Any:
    fields = {"line_id": str(company.line), "name": NAME, "division_code": DIVISION, **given}
    return client("CreateRegistration", registration=fields)


def days_pass(company: Company, days: int) -> None:
    with company.database.engine("owner").begin() as connection:
        statement = "UPDATE registrations SET protected_until = protected_until - make_interval(days => :days)"
        connection.execute(text(statement), {"days": days})


def test_the_first_is_protected_for_ninety_days(company: Company, staff: Staff) -> None:
    made = register(staff.seller("h1"), company, credit_code=code(1))
    assert made.state == State.REGISTRATION_STATE_PROTECTED
    assert made.protect_time.ToDatetime(UTC) == clock.end_of_day(clock.today() + timedelta(days=90))


def test_of_many_at_once_one_is_the_first(company: Company, staff: Staff) -> None:
    sellers = [staff.seller(team) for team in ("h1", "h2", "s1") * 2]

    def attempt(seller: Client) -> str:
        try:
            register(seller, company)
        except Refused as refusal:
            return refusal.reason
        return ""

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(attempt, sellers)) == ["", *["REGISTERED_ELSEWHERE"] * 5]
    assert rows(company, "SELECT count(*) FROM registrations")[0][0] == 1


def test_a_later_one_is_told_the_unit_and_no_more(company: Company, staff: Staff) -> None:
    register(staff.seller("s1"), company, credit_code=code(1))
    seller = staff.seller("h1")
    for act in (
        lambda: register(seller, company, name="远山", credit_code=code(1)),
        lambda: making.customer(seller, company, name="远山", credit_code=code(1)),
    ):
        refusal = refused(act)
        assert (refusal.reason, set(refusal.metadata)) == ("REGISTERED_ELSEWHERE", {"unit_name"})
    (row,) = rows(company, "SELECT after FROM audit WHERE resource = 'duplicate_check'")
    assert row.after["credit_code"] == code(1)


def test_without_a_code_name_and_division_tell_customers_apart(company: Company, staff: Staff) -> None:
    register(staff.seller("s1"), company)
    seller = staff.seller("h1")
    assert refused(lambda: register(seller, company, name="杭州远山机械集团")).reason == "REGISTERED_ELSEWHERE"
    assert refused(lambda: register(seller, company, credit_code=code(1))).reason == "REGISTERED_ELSEWHERE"
    assert register(seller, company, division_code="330200").id
    assert register(seller, company, name="宁波甬江电子").id
    assert register(seller, company, line_id=line(company, "L2")).id


@pytest.mark.parametrize("division", ["", "330100", "330106", "330000"])
def test_a_division_left_out_or_told_otherwise_steps_round_no_registration(
    company: Company, staff: Staff, division: str
) -> None:
    register(staff.seller("s1"), company)
    seller = staff.seller("h1")
    for act in (
        lambda: register(seller, company, division_code=division),
        lambda: making.customer(seller, company, name=NAME, division_code=division),
    ):
        assert refused(act).reason == "REGISTERED_ELSEWHERE"


def test_what_one_owns_is_not_registered_again(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    mine = making.customer(seller, company, name="杭州远山机械", division_code=DIVISION)
    refusal = refused(lambda: register(seller, company))
    assert (refusal.reason, refusal.metadata) == ("DUPLICATE_EXISTS", {"customer_id": mine.id})
    assert register(seller, company, division_code="330200").id
    assert register(seller, company, line_id=line(company, "L2")).id
    assert register(staff.seller("h1"), company, name="杭州远山电子").id


@pytest.mark.parametrize(
    "given", [{}, {"credit_code": code(2)}, {"division_code": ""}, {"name": "杭州远山机械（集团）"}]
)
def test_the_name_of_anothers_customer_is_not_registered_but_told_with_its_unit(
    company: Company, staff: Staff, given: dict[str, str]
) -> None:
    customer = making.customer(staff.seller("s1"), company, name="杭州远山机械", division_code=DIVISION)
    seller, manager = staff.seller("h1"), staff.manager("shenzhen")
    refusal = refused(lambda: register(seller, company, **given))
    assert (refusal.reason, refusal.fields) == ("DUPLICATE_ELSEWHERE", ["registration.name"])
    assert set(refusal.metadata) == {"unit_name"}
    (told,) = rows(company, "SELECT name, told_unit_id, customer_id FROM duplicate_answers")
    assert (told.told_unit_id, str(told.customer_id)) == (company.team["s1"], customer.id)
    assert refused(lambda: register(manager, company, **given)).metadata == {"customer_id": customer.id}
    asked = {"name": told.name, "division_code": given.get("division_code", DIVISION)}
    seller("AskToJoin", **asked)
    assert [each.customer_id for each in manager("ListJoinRequests").join_requests] == [customer.id]


@pytest.mark.parametrize(
    "given", [{"name": "远山机械"}, {"division_code": "330200"}, {"name": "杭州远山机械二厂"}, {"credit_code": code(2)}]
)
def test_only_the_very_name_at_one_place_is_told(company: Company, staff: Staff, given: dict[str, str]) -> None:
    held: dict[str, Any] = {"name": "杭州远山机械", "division_code": DIVISION, "credit_code": code(1)}
    making.customer(staff.seller("s1"), company, **held)
    assert register(staff.seller("h1"), company, **given).id
    assert rows(company, "SELECT 1 FROM duplicate_answers") == []


def test_names_of_others_customers_count_among_the_twenty(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    for number in range(21):
        making.customer(owner, company, name=f"客户{number}")
    reasons = [refused(partial(register, asker, company, name=f"客户{number}")).reason for number in range(21)]
    assert reasons == ["DUPLICATE_ELSEWHERE"] * 20 + ["DUPLICATE_CHECK_LIMIT"]


def test_a_registration_of_anothers_code_names_its_own_field(company: Company, staff: Staff) -> None:
    making.customer(staff.seller("s1"), company, credit_code=code(1))
    refusal = refused(lambda: register(staff.seller("h1"), company, credit_code=code(1)))
    assert (refusal.reason, refusal.fields) == ("DUPLICATE_ELSEWHERE", ["registration.credit_code"])


def test_two_codes_are_two_customers_whatever_their_names(company: Company, staff: Staff) -> None:
    register(staff.seller("s1"), company, credit_code=code(1))
    assert register(staff.seller("h1"), company, credit_code=code(2)).id


def test_ones_own_and_ones_teams_are_named(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    made = register(seller, company)
    for client in (seller, staff.manager()):
        refusal = refused(partial(register, client, company))
        assert (refusal.reason, refusal.metadata) == ("REGISTRATION_EXISTS", {"registration_id": made.id})
    assert register(seller, company, id=str(made.id)).id == made.id
    assert refused(lambda: register(seller, company, id=made.id, name="x")).reason == "ALREADY_EXISTS"


def test_what_expired_or_was_released_is_free(company: Company, staff: Staff) -> None:
    first, second, third = (staff.seller(team) for team in ("s1", "h1", "h2"))
    made = register(first, company)
    days_pass(company, 91)
    assert first("GetRegistration", id=made.id).state == State.REGISTRATION_STATE_EXPIRED
    again = register(second, company)
    assert refused(lambda: first("ReleaseRegistration", id=made.id, etag="*")).reason == "REGISTRATION_OVER"
    assert second("ReleaseRegistration", id=again.id, etag="*").state == State.REGISTRATION_STATE_RELEASED
    assert register(third, company).state == State.REGISTRATION_STATE_PROTECTED


def test_a_superior_extends_once(company: Company, staff: Staff) -> None:
    seller, manager = staff.seller("h1"), staff.manager()
    made = register(seller, company)
    assert refused(lambda: seller("ExtendRegistration", id=made.id, etag="*")).reason == "EXTENSION_BY_SUPERIOR"
    assert refused(lambda: staff.manager("shenzhen")("ExtendRegistration", id=made.id, etag="*")).reason in (
        "NOT_FOUND",
        "NOT_YET_KNOWN",
    )
    extended = manager("ExtendRegistration", id=made.id, etag=made.etag)
    assert extended.protect_time.seconds - made.protect_time.seconds == 90 * 86400
    assert refused(lambda: manager("ExtendRegistration", id=made.id, etag="*")).reason == "REGISTRATION_EXTENDED"


def test_lists_hold_ones_own_and_those_of_units_governed(company: Company, staff: Staff) -> None:
    h1, h2, s1 = (staff.seller(team) for team in ("h1", "h2", "s1"))
    made = [register(client, company, name=f"客户{at}").id for at, client in enumerate((h1, h2, s1))]
    clients = (h1, s1, staff.manager(), staff.director())
    listed = [[each.id for each in client("ListRegistrations").registrations] for client in clients]
    assert listed == [made[:1], made[2:], made[1::-1], made[::-1]]
    h1("ReleaseRegistration", id=made[0], etag="*")
    protected = staff.manager()("ListRegistrations", state=State.REGISTRATION_STATE_PROTECTED).registrations
    assert [each.id for each in protected] == [made[1]]


def test_the_registrants_customer_fulfils_it(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    made = register(seller, company, credit_code=code(1))
    customer = making.customer(seller, company, credit_code=code(1))
    found = seller("GetRegistration", id=made.id)
    assert (found.state, found.customer_id) == (State.REGISTRATION_STATE_FULFILLED, customer.id)
    told = rows(company, "SELECT envelope FROM outbox WHERE type = 'registration.changed.v1' ORDER BY id")
    assert [(decode(row[0]).version) for row in told] == [1, 2]


def test_a_customer_that_has_an_owner_on_the_line_is_not_registered(company: Company, staff: Staff) -> None:
    owner, seller = staff.seller("s1"), staff.seller("h1")
    customer = making.customer(owner, company, credit_code=code(1))
    refusal = refused(lambda: register(owner, company, credit_code=code(1)))
    assert refusal.metadata == {"customer_id": customer.id}
    assert refused(lambda: register(seller, company, credit_code=code(1))).reason == "DUPLICATE_ELSEWHERE"
    assert register(seller, company, credit_code=code(1), line_id=line(company, "L2")).id


def test_who_was_let_in_to_a_registration_shares_its_customer(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    made = register(owner, company)
    assert refused(lambda: register(asker, company)).reason == "REGISTERED_ELSEWHERE"
    assert refused(lambda: asker("AskToJoin", name="宁波甬江电子")).reason == "NOT_REFUSED"
    request = asker("AskToJoin", name="杭州 远山机械（集团）有限责任公司")
    assert asker("AskToJoin", name=NAME, division_code=DIVISION).id == request.id
    assert owner("ListJoinRequests").join_requests[0].registration_id == made.id
    accepted = join_request_pb2.JOIN_REQUEST_STATE_ACCEPTED
    owner("AnswerJoinRequest", id=request.id, etag="*", state=accepted)
    customer = making.customer(owner, company, name=NAME, division_code=DIVISION)
    assert asker("GetCustomer", id=customer.id).name == NAME


def test_told_registrations_count_among_the_twenty(company: Company, staff: Staff) -> None:
    owner, asker = staff.seller("s1"), staff.seller("h1")
    for number in range(21):
        register(owner, company, name=f"客户{number}")
    reasons = [refused(partial(register, asker, company, name=f"客户{number}")).reason for number in range(21)]
    assert reasons == ["REGISTERED_ELSEWHERE"] * 20 + ["DUPLICATE_CHECK_LIMIT"]
