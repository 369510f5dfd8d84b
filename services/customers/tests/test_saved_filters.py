"""Saved filters: one's own, shared downward, used within each reader's own rights."""

from typing import Any

import pytest

from chassis.caller import FieldAccess
from chassis.ids import new_id
from chassis.testing.rpc import Client, grant
from customers.saved_filter import operations
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import saved_filter_pb2 as pb

from . import making
from .conftest import ALL, Company, Staff
from .making import refusal


def saved(client: Client, **given: Any) -> pb.SavedFilter:
    values = {"name": "重点客户", "kind": pb.SAVED_FILTER_KIND_CUSTOMERS, "filter": {"tiers": [1]}, **given}
    made: pb.SavedFilter = client("CreateSavedFilter", saved_filter=values)
    return made


def listed(client: Client, **asked: Any) -> list[str]:
    return [customer.name for customer in client("ListCustomers", **asked).customers]


def test_a_list_is_narrowed_and_ordered_as_was_saved(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    for name, tier in (("乙", 1), ("甲", 1), ("丙", 2)):
        making.customer(seller, company, name=name, tier=tier)
    kept = saved(seller, order=customer_pb2.CUSTOMER_ORDER_NAME)
    assert listed(seller, saved_filter_id=kept.id) == ["甲", "乙"]
    newest = customer_pb2.CUSTOMER_ORDER_CREATE_TIME_DESC
    assert listed(seller, saved_filter_id=kept.id, order=newest) == ["甲", "乙"]
    assert seller("CountCustomers", saved_filter_id=kept.id).count == 2


def test_a_name_is_one_whatever_spaces_are_around_it(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    kept = saved(seller, name="  重点客户　")
    assert kept.name == "重点客户"
    assert refusal(lambda: saved(seller, name="重点客户 ")) == "FILTER_NAME_TAKEN"
    other = saved(seller, name="其他")
    renamed = {"id": other.id, "etag": other.etag, "name": " 重点客户"}
    assert refusal(lambda: seller("UpdateSavedFilter", saved_filter=renamed)) == "FILTER_NAME_TAKEN"


def test_a_filter_beside_a_saved_one_is_refused(company: Company, staff: Staff) -> None:
    seller = staff.seller()
    kept = saved(seller)
    assert refusal(lambda: listed(seller, saved_filter_id=kept.id, filter={"tag": "x"})) == "FILTER_TWICE"
    assert refusal(lambda: listed(seller, saved_filter_id=str(new_id()))) == "FILTER_UNKNOWN"


def test_nobody_else_reads_what_is_not_shared(company: Company, staff: Staff) -> None:
    seller = staff.seller("h1")
    kept = saved(seller)
    for other in (staff.seller("h1"), staff.manager(), staff.director()):
        assert refusal(lambda other=other: other("GetSavedFilter", id=kept.id)) == "NOT_FOUND"  # type: ignore[misc]
        assert not other("ListSavedFilters").saved_filters
        assert refusal(lambda other=other: listed(other, saved_filter_id=kept.id)) == "FILTER_UNKNOWN"  # type: ignore[misc]


def test_a_shared_filter_is_used_below_its_unit_and_nowhere_else(company: Company, staff: Staff) -> None:
    manager, below, elsewhere = staff.manager("hangzhou"), staff.seller("h1"), staff.seller("s1")
    making.customer(below, company, name="甲", tier=1)
    kept = saved(manager, unit_id=str(company.hangzhou))
    assert [found.id for found in below("ListSavedFilters").saved_filters] == [kept.id]
    assert listed(below, saved_filter_id=kept.id) == ["甲"]
    assert refusal(lambda: listed(elsewhere, saved_filter_id=kept.id)) == "FILTER_UNKNOWN"
    assert refusal(lambda: below("DeleteSavedFilter", id=kept.id, etag="*")) == "NOT_OWN_FILTER"
    changed = {"id": kept.id, "etag": kept.etag, "name": "x"}
    assert refusal(lambda: below("UpdateSavedFilter", saved_filter=changed)) == "NOT_OWN_FILTER"


def test_one_shares_only_with_what_one_governs(company: Company, staff: Staff) -> None:
    assert refusal(lambda: saved(staff.seller("h1"), unit_id=str(company.team["h1"]))) == "UNIT_BEYOND_REACH"
    manager = staff.manager("hangzhou")
    assert refusal(lambda: saved(manager, unit_id=str(company.shenzhen))) == "UNIT_BEYOND_REACH"
    kept = saved(manager)
    moved = {"id": kept.id, "etag": kept.etag, "unit_id": str(company.shenzhen)}
    assert refusal(lambda: manager("UpdateSavedFilter", saved_filter=moved)) == "UNIT_BEYOND_REACH"


def test_a_shared_filter_probes_no_field_that_its_reader_may_not_read(company: Company, staff: Staff) -> None:
    manager = staff.manager("hangzhou")
    kept = saved(manager, filter={"phone": "+8613812345678"}, unit_id=str(company.hangzhou))
    masked = {"customer.phones": FieldAccess.MASKED}
    unit = company.team["h1"]
    reader = staff.with_(grant(*ALL, unit=unit, fields=masked), home=unit)
    assert refusal(lambda: listed(reader, saved_filter_id=kept.id)) == "FIELD_NOT_READABLE"
    assert refusal(lambda: saved(reader, filter={"phone": "+8613812345678"})) == "FIELD_NOT_READABLE"


def test_the_same_filter_again_is_the_same_filter(staff: Staff) -> None:
    seller, id_ = staff.seller(), str(new_id())
    assert saved(seller, id=id_) == saved(seller, id=id_)
    assert refusal(lambda: saved(seller, id=id_, name="别的")) == "ALREADY_EXISTS"
    assert refusal(lambda: saved(staff.seller(), id=id_)) == "ID_TAKEN"
    assert refusal(lambda: saved(seller)) == "FILTER_NAME_TAKEN"


def test_a_filter_is_changed_and_deleted_by_its_person(staff: Staff) -> None:
    seller = staff.seller()
    kept = saved(seller)
    changed = {"id": kept.id, "etag": kept.etag, "name": "A 级", "filter": {"tiers": [2]}}
    now = seller("UpdateSavedFilter", saved_filter=changed)
    assert (now.name, list(now.filter.tiers)) == ("A 级", [2])
    assert refusal(lambda: seller("UpdateSavedFilter", saved_filter=changed)) == "VERSION_MISMATCH"
    seller("DeleteSavedFilter", id=kept.id, etag=now.etag)
    assert not seller("ListSavedFilters").saved_filters


def test_a_person_keeps_a_hundred_at_most(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST", 2)
    seller = staff.seller()
    for name in "ab":
        saved(seller, name=name)
    assert refusal(lambda: saved(seller, name="c")) == "TOO_MANY_FILTERS"
