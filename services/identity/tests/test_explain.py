"""Why somebody may, or may not."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.testing.rpc import Refused
from tongxiao.identity.v1 import session_pb2 as pb

from .conftest import Company


def asked(firm: Company, person: str, permission: str, unit: str = "", *, by: str = "admin") -> Any:
    unit_id = str(firm.unit[unit]) if unit else ""
    return firm.as_(by)("ExplainAccess", employee_id=str(firm.person[person]), permission=permission, unit_id=unit_id)


def kinds(reasons: Any) -> list[str]:
    return [pb.AccessReasonKind.Name(reason.kind).removeprefix("ACCESS_REASON_KIND_") for reason in reasons]


def test_a_governing_post_explains_it(firm: Company) -> None:
    found = asked(firm, "manager", "customer.reassign", "h1")
    assert found.allowed
    assert kinds(found.reasons) == ["GOVERNS", "BELONGS"]
    assert found.reasons[0].unit_id == str(firm.unit["hangzhou"])
    assert found.reasons[0].text == "岗位“manager岗”管辖“hangzhou单元”及其下级"
    assert found.reasons[0].text_en == 'The post "manager岗" governs "hangzhou单元" and all below it'


def test_belonging_is_for_ones_own_records(firm: Company) -> None:
    found = asked(firm, "seller", "customer.update", "h1")
    assert (found.allowed, kinds(found.reasons)) == (True, ["BELONGS"])


def test_what_stands_in_the_way_is_named(firm: Company) -> None:
    assert kinds(asked(firm, "seller", "customer.delete", "h1").obstacles) == ["PERMISSION_MISSING"]
    assert kinds(asked(firm, "manager", "customer.delete", "s1").obstacles) == ["UNIT_BEYOND"]
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    assert kinds(asked(firm, "seller", "customer.read", "h1").obstacles) == ["NO_POST", "NOT_VALID_TODAY"]


def test_who_is_suspended_may_nothing(firm: Company) -> None:
    firm.as_("admin")("SuspendEmployee", id=str(firm.person["seller"]), etag="*")
    found = asked(firm, "seller", "customer.read", "h1")
    assert (found.allowed, kinds(found.obstacles)) == (False, ["NOT_ACTIVE"])


def test_it_says_until_when(firm: Company) -> None:
    end = (clock.today() + timedelta(days=3)).isoformat()
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), end_date=end, etag="*")
    reason = asked(firm, "seller", "customer.read").reasons[0]
    assert reason.end_date == end
    assert reason.text.endswith(f"，至 {end}")


def test_it_is_explained_within_reach_only(firm: Company) -> None:
    assert asked(firm, "seller", "customer.read", by="supervisor").allowed
    with pytest.raises(Refused) as refused:
        asked(firm, "other", "customer.read", by="supervisor")
    assert refused.value.reason == "NOT_FOUND"


def test_an_unknown_permission_is_refused(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        asked(firm, "seller", "customer.eat")
    assert refused.value.reason == "PERMISSION_UNKNOWN"


def test_a_customer_that_lies_nowhere_known_is_not_explained(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        firm.as_("admin")(
            "ExplainAccess",
            employee_id=str(firm.person["seller"]),
            permission="customer.read",
            customer_id=str(new_id()),
        )
    assert refused.value.reason == "PLACES_UNKNOWN"


def test_of_a_share_and_a_post_the_earlier_end_counts(firm: Company) -> None:
    end = (clock.today() + timedelta(days=3)).isoformat()
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), end_date=end, etag="*")
    for last, wanted in (("2026-01-01", "2026-01-01"), ("2999-01-01", end), ("", end)):
        places = [{"unit_id": str(firm.unit["s1"])}, {"shared": True, "end_date": last}]
        found = firm.as_("admin")(
            "ExplainAccess",
            employee_id=str(firm.person["seller"]),
            permission="customer.read",
            customer_id=str(new_id()),
            places=places,
        )
        assert (kinds(found.reasons), found.reasons[0].end_date) == (["SHARED"], wanted)


def obstacles(firm: Company, permission: str, *places: dict[str, Any]) -> Any:
    person, customer = str(firm.person["seller"]), str(new_id())
    asked: dict[str, Any] = {"employee_id": person, "permission": permission, "customer_id": customer, "places": places}
    return firm.as_("admin")("ExplainAccess", **asked).obstacles


def test_a_colleagues_customer_in_the_same_unit_is_anothers(firm: Company) -> None:
    (found,) = obstacles(firm, "customer.update", {"unit_id": str(firm.unit["h1"])})
    assert kinds([found]) == ["NOT_OWNER"]
    assert found.text == "该记录在“h1单元”归他人所有，岗位“seller岗”只能用于本人的记录"


@pytest.mark.parametrize(("writes", "kind"), [(False, "SHARED_READ_ONLY"), (True, "SHARE_FALLS_SHORT")])
def test_a_share_that_does_not_reach_so_far_is_named(firm: Company, writes: bool, kind: str) -> None:
    share = {"shared_for_less": True, "writes": writes}
    found = obstacles(firm, "customer.update", {"unit_id": str(firm.unit["s1"])}, share)
    assert kinds(found) == ["UNIT_BEYOND", kind]


def test_english_sentences_use_english_names(firm: Company) -> None:
    admin, post = firm.as_("admin"), str(firm.post["seller"])
    admin("UpdatePost", post={"id": post, "etag": "*", "name_en": "Sales, team one"})
    (found,) = asked(firm, "seller", "customer.delete").obstacles
    assert found.text_en == 'The role "Salesperson" of the post "Sales, team one" lacks it'
