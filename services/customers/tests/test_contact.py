"""Contacts, their masked numbers, and contact records."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, files
from chassis.caller import FieldAccess
from chassis.envelope import decode
from chassis.ids import new_id
from chassis.testing.rpc import Client, grant
from tongxiao.common.v1.permission_pb2 import Permission
from tongxiao.customers.v1.contact_record_pb2 import CONTACT_CHANNEL_CALL

from . import making
from .conftest import ALL, CLEAR, Company, Staff
from .making import day, refusal, refused, rows

MASKED = {**CLEAR, "contact.mobile": FieldAccess.MASKED}


def test_a_contact_is_reached_through_their_customer(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    contact = making.contact(seller, making.customer(seller, company))
    assert seller("GetContact", id=contact.id) == contact
    assert refusal(lambda: staff.seller("s1")("GetContact", id=contact.id)) in ("NOT_FOUND", "NOT_YET_KNOWN")


def test_a_contact_that_is_at_the_customer_already_is_refused_with_its_id(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer, other = making.customer(seller, company), making.customer(seller, company, name="另一家")
    there, again = making.contact(seller, customer), {"name": "李经理", "mobile": "138 1234 5678"}
    answer = refused(lambda: making.contact(seller, customer, **again))
    assert (answer.reason, answer.fields) == ("CONTACT_EXISTS", ["contact.mobile"])
    assert answer.metadata == {"contact_id": there.id}
    assert making.contact(seller, other, **again).id
    seller("DeleteContact", id=there.id, etag="*")
    assert making.contact(seller, customer, **again).id


def test_people_of_one_name_are_told_apart_by_their_mobiles(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    for mobile in ("", "", "+8613900000001", "+8613900000002"):
        assert making.contact(seller, customer, mobile=mobile).id


def test_a_contact_is_not_named_to_who_is_shown_nothing_of_its_number(company: Company, staff: Staff) -> None:
    customer = making.customer(staff.seller(), company)
    making.contact(staff.director(), customer)
    hidden = shown_as(company, staff, FieldAccess.HIDDEN)
    answer = refused(lambda: making.contact(hidden, customer))
    assert (answer.reason, answer.metadata) == ("CONTACT_EXISTS", {})


def test_of_many_who_add_one_contact_at_once_one_does(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: refusal(lambda: making.contact(seller, customer)), range(4)))
    assert sorted(found) == ["", *["CONTACT_EXISTS"] * 3]


def test_a_place_beyond_reach_is_not_shown(company: Company, staff: Staff) -> None:
    director, seller = staff.director(), staff.seller("h1")
    here, there = making.customer(seller, company), making.customer(staff.seller("s1"), company, name="深圳")
    places = [{"customer_id": here.id}, {"customer_id": there.id}]
    contact = director("CreateContact", contact={"name": "王五", "places": places})
    assert [place.customer_id for place in seller("GetContact", id=contact.id).places] == [here.id]


def test_of_two_places_at_one_customer_the_later_holds(company: Company, staff: Staff) -> None:
    seller, id_ = staff.seller(), str(new_id())
    at = making.customer(seller, company).id
    given = {"id": id_, "name": "王五", "places": [{"customer_id": at}, {"customer_id": at, "job_title": "采购"}]}
    contact = seller("CreateContact", contact=given)
    assert [(place.customer_id, place.job_title) for place in contact.places] == [(at, "采购")]
    assert seller("CreateContact", contact=given) == contact


def test_a_masked_number_is_shown_in_part_and_revealed_once_asked(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    contact = making.contact(seller, making.customer(seller, company))
    team = company.team["h1"]
    other = staff.with_(grant(*ALL, unit=team, governs=[team], fields=MASKED), home=team)
    assert other("GetContact", id=contact.id).mobile == "+86138****5678"
    revealed = other("RevealContact", id=contact.id)
    assert (revealed.mobile, revealed.remaining_today) == ("+8613812345678", 49)
    assert [row.action for row in rows(company, "SELECT action FROM audit WHERE action = 'RevealContact'")]


def test_a_contact_made_again_elsewhere_is_refused(company: Company, staff: Staff) -> None:
    seller, id_ = staff.seller(), str(new_id())
    here, there = making.customer(seller, company), making.customer(seller, company, name="另一家")
    assert making.contact(seller, here, id=id_) == making.contact(seller, here, id=id_)
    assert refusal(lambda: making.contact(seller, there, id=id_)) == "ALREADY_EXISTS"


def test_a_deleted_contact_comes_back_as_it_was(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    contact = making.contact(seller, making.customer(seller, company))
    assert refusal(lambda: seller("RestoreContact", id=contact.id)) == "NOT_DELETED"
    seller("DeleteContact", id=contact.id, etag="*")
    assert refusal(lambda: staff.seller("s1")("RestoreContact", id=contact.id)) in ("NOT_FOUND", "NOT_YET_KNOWN")
    back = seller("RestoreContact", id=contact.id)
    assert (back.name, back.mobile, back.places) == (contact.name, contact.mobile, contact.places)
    assert seller("GetContact", id=contact.id) == back
    told = rows(company, "SELECT envelope FROM outbox WHERE type = 'contact.changed.v1' ORDER BY id")
    assert [decode(row.envelope).version for row in told] == [1, 2, 3]


def test_a_mask_is_never_written_back(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    contact = making.contact(seller, making.customer(seller, company))
    changed = {"id": contact.id, "etag": contact.etag, "mobile": "+86138****5678"}
    assert refusal(lambda: seller("UpdateContact", contact=changed)) == "MASKED_VALUE"


def shown_as(company: Company, staff: Staff, access: FieldAccess) -> Client:
    """Somebody of a team who may change its contacts and is shown their personal fields so far."""
    team = company.team["h1"]
    return staff.with_(grant(*ALL, unit=team, governs=[team], fields=dict.fromkeys(CLEAR, access)), home=team)


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("mobile", "139 0000 0001", "+86139****0001"),
        ("email", "wang@acme.cn", "w****@acme.cn"),
        ("wechat", "wang-wu", "****"),
        ("birthday", "1991-04-05", "****"),
    ],
)
def test_a_masked_value_is_replaced_unseen_by_who_may_change_the_contact(
    company: Company, staff: Staff, name: str, given: str, shown: str
) -> None:
    seller, other = staff.seller(), shown_as(company, staff, FieldAccess.MASKED)
    values = {"email": "li@acme.cn", "wechat": "li-si", "birthday": "1990-02-03"}
    contact = making.contact(seller, making.customer(seller, company), **values)
    changed = other("UpdateContact", contact={"id": contact.id, "etag": contact.etag, name: given})
    assert getattr(changed, name) == shown
    assert getattr(staff.director()("GetContact", id=contact.id), name).replace("+86", "") == given.replace(" ", "")
    (row, *_) = staff.director()("ListAudit", resource="contact", resource_id=contact.id).entries
    assert (row.action, row.before[name], row.after[name].replace("+86", "")) == (
        "UpdateContact",
        getattr(contact, name),
        given.replace(" ", ""),
    )


@pytest.mark.parametrize("access", [FieldAccess.HIDDEN, FieldAccess.READ])
def test_what_is_hidden_or_only_read_is_not_replaced(company: Company, staff: Staff, access: FieldAccess) -> None:
    seller, other = staff.seller(), shown_as(company, staff, access)
    contact = making.contact(seller, making.customer(seller, company))
    changed = {"id": contact.id, "etag": contact.etag, "mobile": "+8613900000000"}
    assert refusal(lambda: other("UpdateContact", contact=changed)) == "FIELD_NOT_READABLE"


@pytest.mark.parametrize("shown", [FieldAccess.HIDDEN, FieldAccess.MASKED, FieldAccess.READ])
def test_what_was_read_is_sent_back_whole_and_only_what_differs_is_changed(
    company: Company, staff: Staff, shown: FieldAccess
) -> None:
    seller = staff.seller()
    values = {"phone": "+8657112345678", "email": "li@acme.cn", "wechat": "li-si", "birthday": "1990-02-03"}
    contact = making.contact(seller, making.customer(seller, company), **values)
    team, limited = company.team["h1"], dict.fromkeys(CLEAR, shown)
    other = staff.with_(grant(*ALL, unit=team, governs=[team], fields=limited), home=team)
    read = other("GetContact", id=contact.id)
    read.name = "李思思"
    paths = ["name", "places", "mobile", "phone", "email", "wechat", "birthday", "note"]
    other("UpdateContact", contact=read, update_mask={"paths": paths})
    after = staff.director()("GetContact", id=contact.id)
    assert (after.name, after.mobile) == ("李思思", contact.mobile)
    assert {name: getattr(after, name) for name in values} == values


@pytest.mark.parametrize("guess", ["", "+86139****5678", "****"])
def test_a_masked_number_is_neither_emptied_nor_given_another_mask(company: Company, staff: Staff, guess: str) -> None:
    seller, other = staff.seller(), shown_as(company, staff, FieldAccess.MASKED)
    contact = making.contact(seller, making.customer(seller, company))
    given = {"id": contact.id, "etag": "*", "mobile": guess}
    answer = refused(lambda: other("UpdateContact", contact=given, update_mask={"paths": ["mobile"]}))
    assert (answer.reason, answer.fields) == ("FIELD_NOT_READABLE", ["contact.mobile"])


def test_a_value_put_in_place_of_a_masked_one_tells_nothing_of_a_guess(company: Company, staff: Staff) -> None:
    seller, other = staff.seller(), shown_as(company, staff, FieldAccess.MASKED)
    customer = making.customer(seller, company)
    seen = []
    for number, guess in (("+8613812345678", "138 1234 5678"), ("+8613899995678", "+8613812345678")):
        contact = making.contact(seller, customer, mobile=number)
        changed = other("UpdateContact", contact={"id": contact.id, "etag": contact.etag, "mobile": guess})
        (row, *_) = other("ListAudit", resource="contact", resource_id=contact.id).entries
        told = rows(company, "SELECT 1 FROM outbox WHERE type = 'contact.changed.v1'")
        moved = changed.update_time.ToDatetime() > contact.update_time.ToDatetime()
        seen.append((changed.mobile, changed.etag, moved, row.action, dict(row.before), dict(row.after), len(told) % 2))
    assert seen[0] == seen[1]
    assert seen[0][:2] == ("+86138****5678", "2")


def test_a_masked_phone_cannot_be_filtered_by(company: Company, staff: Staff) -> None:
    team = company.team["h1"]
    fields = {"customer.phones": FieldAccess.MASKED}
    other = staff.with_(grant(*ALL, unit=team, governs=[team], fields=fields), home=team)
    phone = {"phone": "+862112345678"}
    for name in ("ListCustomers", "CountCustomers"):
        assert refusal(lambda name=name: other(name, filter=phone)) == "FIELD_NOT_READABLE"  # type: ignore[misc]


def test_no_personal_value_stands_in_events_audit_or_logs(
    company: Company, staff: Staff, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    seller = staff.seller()
    contact = making.contact(seller, making.customer(seller, company), wechat="li-si-88", birthday="1990-02-03")
    changed = seller("UpdateContact", contact={"id": contact.id, "etag": contact.etag, "name": "李思思"})
    seller("RevealContact", id=contact.id)
    seller("DeleteContact", id=contact.id, etag=changed.etag)
    told = rows(company, "SELECT convert_from(envelope, 'UTF8') AS body FROM outbox")
    audited = rows(company, "SELECT to_jsonb(audit)::text AS body FROM audit")
    kept = [*(row.body for row in (*told, *audited)), caplog.text]
    values = ("13812345678", "li-si-88", "1990-02-03", "李四", "李思思")
    assert [value for value in values if any(value in body for body in kept)] == []


def test_a_touch_moves_the_customers_last_contact(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer, next_contact_date="2027-01-05")
    after = seller("GetCustomer", id=customer.id)
    assert (after.last_contact_time, after.next_contact_date) == (record.contact_time, "2027-01-05")


def test_a_contact_before_the_year_2000_is_a_wrong_clock(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    long_ago = clock.stamp(datetime(1999, 12, 31, tzinfo=UTC))
    assert refusal(lambda: making.record(seller, customer, contact_time=long_ago)) == "TIME_TOO_EARLY"


def test_a_record_names_contacts_of_its_customer_alone(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    here, there = making.customer(seller, company), making.customer(seller, company, name="另一家")
    contact = making.contact(seller, there)
    answer = refused(lambda: making.record(seller, here, contact_ids=[contact.id]))
    assert (answer.reason, answer.fields) == ("CONTACT_NOT_THERE", ["contact_record.contact_ids"])
    assert making.record(seller, there, contact_ids=[contact.id]).contact_ids == [contact.id]


def test_photos_are_the_authors_own_uploads(company: Company, staff: Staff, tmp_path: Path) -> None:
    files.use(f"file://{tmp_path}")
    seller, other = staff.seller(), staff.seller()
    customer = making.customer(seller, company)
    mine, theirs = files.new_key(seller.person_id), files.new_key(other.person_id)
    for key in (mine, theirs):
        files.put(key, b"photo")
    for key in (theirs, files.new_key(seller.person_id), "anything"):
        answer = refused(lambda key=key: making.record(seller, customer, photo_keys=[key]))  # type: ignore[misc]
        assert (answer.reason, answer.fields) == ("FILE_UNKNOWN", ["contact_record.photo_keys"])
    record = making.record(seller, customer, photo_keys=[mine])
    (tmp_path / mine).unlink()
    again = {"id": record.id, "etag": "*", "photo_keys": [mine], "summary": "改"}
    assert seller("UpdateContactRecord", contact_record=again).photo_keys == [mine]


@pytest.mark.parametrize("make", [making.record, making.contact])
def test_what_comes_for_a_merged_customer_is_told_where_it_went(company: Company, staff: Staff, make: Any) -> None:
    manager = staff.manager()
    winner, loser = making.customer(manager, company), making.customer(manager, company, name="并入的")
    manager("MergeCustomer", id=winner.id, loser_id=loser.id, etag="*")
    answer = refused(lambda: make(manager, loser))
    assert (answer.reason, answer.metadata) == ("MERGED_INTO", {"customer_id": winner.id})


@pytest.mark.parametrize("make", [making.record, making.contact])
def test_of_one_id_sent_many_times_at_once_every_answer_is_the_same(company: Company, staff: Staff, make: Any) -> None:
    seller, id_ = staff.seller(), str(new_id())
    customer = making.customer(seller, company)
    with ThreadPoolExecutor(8) as pool:
        moment = clock.stamp(clock.now())
        told = {"contact_time": moment} if make is making.record else {}
        found = list(pool.map(lambda _: make(seller, customer, id=id_, **told), range(8)))
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("nothing", ["  ", "\u3164", "\u2800 \u200d"])
def test_what_must_be_said_is_not_blank(company: Company, staff: Staff, nothing: str) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    for act, field in (
        (lambda: making.record(seller, customer, summary=nothing), "contact_record.summary"),
        (lambda: making.contact(seller, customer, name=nothing), "contact.name"),
        (lambda: making.customer(seller, company, name=nothing), "customer.name"),
        (lambda: making.customer(seller, company, tags=["好", nothing]), "customer.tags"),
    ):
        answer = refused(act)
        assert (answer.reason, answer.fields) == ("BLANK", [field])


def test_nobody_is_born_tomorrow(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    assert refusal(lambda: making.contact(seller, customer, birthday=day(1))) == "DATE_IN_FUTURE"
    assert making.contact(seller, customer, birthday="--12-31").birthday == "--12-31"


def test_deleting_the_touch_takes_its_effect_back(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    record = making.record(seller, customer)
    seller("DeleteContactRecord", id=record.id, etag=record.etag)
    assert not seller("GetCustomer", id=customer.id).HasField("last_contact_time")
    told = [row.type for row in rows(company, "SELECT type FROM outbox ORDER BY id")]
    assert told.count("contact_record.retracted.v1") == 1


def test_only_its_author_corrects_a_contact_record(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    record = making.record(seller, making.customer(seller, company))
    changed = {"id": record.id, "etag": record.etag, "summary": "改"}
    assert refusal(lambda: staff.manager()("UpdateContactRecord", contact_record=changed)) == "NOT_AUTHOR"


def test_a_contact_record_of_tomorrow_is_refused(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    tomorrow = clock.stamp(clock.now() + timedelta(days=1))
    assert refusal(lambda: making.record(seller, customer, contact_time=tomorrow)) == "TIME_IN_FUTURE"


def test_the_overview_shows_everything_at_once(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    contact, record = making.contact(seller, customer), making.record(seller, customer, channel=CONTACT_CHANNEL_CALL)
    overview = seller("GetCustomerOverview", id=customer.id)
    assert [found.id for found in overview.contacts] == [contact.id]
    assert [found.id for found in overview.contact_records] == [record.id]
    assert [person.id for person in overview.people] == [str(seller.person_id)]
    assert overview.recent_contact_count == 1


def test_the_overview_withholds_what_the_caller_may_not_read(company: Company, staff: Staff) -> None:
    from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_READ

    seller = staff.seller()
    customer = making.customer(seller, company)
    making.contact(seller, customer)
    reader = staff.with_(grant(PERMISSION_CUSTOMER_READ, unit=company.hq, governs=[company.hq]), home=company.hq)
    overview = reader("GetCustomerOverview", id=customer.id)
    assert (list(overview.withheld), len(overview.contacts)) == (["contacts", "contactRecords"], 0)


def test_the_overview_asks_anew_for_a_permission_of_another_post(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    customer = making.customer(seller, company)
    making.contact(seller, customer)
    hangzhou, shenzhen = company.team["hangzhou"], company.team["shenzhen"]
    reads = grant(Permission.PERMISSION_CUSTOMER_READ, unit=hangzhou, governs=[hangzhou], fields=CLEAR)
    elsewhere = grant(*ALL, unit=shenzhen, governs=[shenzhen], fields=CLEAR)
    overview = staff.with_(reads, elsewhere, home=shenzhen)("GetCustomerOverview", id=customer.id)
    assert overview.customer.id == customer.id
    assert (list(overview.withheld), len(overview.contacts), len(overview.contact_records)) == ([], 0, 0)


def test_an_owner_of_one_line_logs_and_renames_what_another_branch_owns_too(company: Company, staff: Staff) -> None:
    here, there = staff.seller("h1"), staff.seller("s1")
    with company.database.engine("owner").begin() as connection:
        values = "(gen_random_uuid(), 'L2', '服务', '', false, 1, now(), now())"
        second = connection.exec_driver_sql(f"INSERT INTO product_lines VALUES {values} RETURNING id").scalar()
    lines = [{"line_id": str(company.line), "owner_id": str(here.person_id)}]
    lines.append({"line_id": str(second), "owner_id": str(there.person_id)})
    customer = staff.director()("CreateCustomer", customer={"name": "两地客户", "assignments": lines})
    record = making.record(here, customer)
    after = here("UpdateCustomer", customer={"id": customer.id, "etag": "*", "name": "改名客户"})
    assert (after.name, after.last_contact_time) == ("改名客户", record.contact_time)
    assert [found.name for found in there("ListCustomers", order=2).customers] == ["改名客户"]
    assert not rows(company, "SELECT 1 FROM audit WHERE resource = 'assignment' AND action <> 'CreateCustomer'")


def test_contacts_logged_at_the_same_moment_are_all_kept(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    customer = making.customer(seller, company)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: making.record(seller, customer).id, range(24)))
    assert rows(company, "SELECT count(*) FROM contact_records")[0][0] == len(set(made)) == 24
