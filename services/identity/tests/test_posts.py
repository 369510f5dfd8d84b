"""Posts: made and filled only by those who may pass their rights on; the line of superiors."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.ids import new_id
from chassis.testing.rpc import Client, Refused
from identity.role.seeds import role_id

from .conftest import Company


def refusal(client: Client, name: str, **fields: Any) -> str:
    with pytest.raises(Refused) as refused:
        client(name, **fields)
    return refused.value.reason


def described(firm: Company, role: str, unit: str, *governs: str, **fields: Any) -> dict[str, Any]:
    return {
        "code": "NEW",
        "name": "新岗",
        "role_id": str(role_id(role)),
        "unit_id": str(firm.unit[unit]),
        "governed_unit_ids": [str(firm.unit[name]) for name in governs],
        **fields,
    }


def appointment(firm: Company, post: str, person: str, **fields: Any) -> dict[str, Any]:
    return {
        "post_id": str(firm.post[post]),
        "employee_id": str(firm.person[person]),
        "kind": "TENURE_KIND_HOLDER",
        **fields,
    }


def test_a_manager_makes_posts_below_their_own_rights(firm: Company) -> None:
    post = firm.as_("manager")("CreatePost", post=described(firm, "supervisor", "h2", "h2"))
    assert post.vacant
    assert firm.as_("manager")("GetPost", id=post.id) == post
    assert firm.audited("post", post.id) == ["CreatePost"]


def test_nobody_passes_on_what_they_may_not_grant(firm: Company) -> None:
    for role in ("manager", "admin"):
        assert refusal(firm.as_("manager"), "CreatePost", post=described(firm, role, "h2", "h2")) == "NOT_GRANTABLE"


def test_nobody_makes_posts_beyond_what_they_govern(firm: Company) -> None:
    for post in (described(firm, "salesperson", "s1"), described(firm, "supervisor", "h2", "hq")):
        assert refusal(firm.as_("manager"), "CreatePost", post=post) == "UNIT_BEYOND_REACH"


def test_one_single_grant_must_allow_it_all(firm: Company) -> None:
    """Governing Hangzhou by one post and Shenzhen by another makes no post over both."""
    admin = firm.as_("admin")
    deputy = {"kind": "TENURE_KIND_DEPUTY", "end_date": (clock.today() + timedelta(days=9)).isoformat()}
    admin("CreateTenure", tenure=appointment(firm, "shenzhen", "manager", **deputy))
    both = described(firm, "supervisor", "h2", "h2", "s1")
    assert refusal(firm.as_("manager"), "CreatePost", post=both) == "UNIT_BEYOND_REACH"
    assert firm.as_("manager")("CreatePost", post=described(firm, "supervisor", "s1", "s1")).id


def test_the_same_creation_again_answers_the_same_post(firm: Company) -> None:
    post = described(firm, "salesperson", "h1", id=str(new_id()))
    assert firm.as_("manager")("CreatePost", post=post) == firm.as_("manager")("CreatePost", post=post)
    assert refusal(firm.as_("manager"), "CreatePost", post={**post, "name": "另一个"}) == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"code": "P-seller"}, "CODE_TAKEN"),
        ({"role_id": str(new_id())}, "ROLE_UNKNOWN"),
        ({"unit_id": str(new_id())}, "UNIT_UNKNOWN"),
        ({"superior_post_id": str(new_id())}, "POST_UNKNOWN"),
        ({"start_date": "2026-12-02", "end_date": "2026-12-01"}, "DATES_REVERSED"),
        ({"start_date": "2026-02-30"}, "DATE_INVALID"),
    ],
)
def test_a_wrong_post_is_refused(firm: Company, fields: dict[str, Any], reason: str) -> None:
    post = described(firm, "salesperson", "h1", **fields)
    assert refusal(firm.as_("manager"), "CreatePost", post=post) == reason


def test_nobody_raises_themself(firm: Company) -> None:
    own = {"id": str(firm.post["manager"]), "etag": "*", "governed_unit_ids": [str(firm.unit["h1"])]}
    assert (
        refusal(firm.as_("director"), "UpdatePost", post={**own, "role_id": str(role_id("director"))})
        == "NOT_GRANTABLE"
    )
    assert (
        refusal(
            firm.as_("admin"),
            "UpdatePost",
            post={"id": str(firm.post["admin"]), "etag": "*", "unit_id": str(firm.unit["hangzhou"])},
        )
        == "NOT_ONESELF"
    )
    wanted = appointment(firm, "director", "admin")
    assert refusal(firm.as_("admin"), "CreateTenure", tenure=wanted) == "NOT_ONESELF"


def test_a_post_above_ones_own_is_not_changed(firm: Company) -> None:
    change = {"id": str(firm.post["manager"]), "etag": "*", "name": "改名"}
    assert refusal(firm.as_("manager"), "UpdatePost", post=change) == "NOT_GRANTABLE"


def test_changing_a_post_changes_the_rights_of_who_holds_it(firm: Company) -> None:
    firm.forget_events()
    change = {"id": str(firm.post["seller"]), "etag": "*", "unit_id": str(firm.unit["h2"])}
    firm.as_("manager")("UpdatePost", post=change)
    revoked = firm.events("session.revoked.v1")[-1]
    assert (revoked["personId"], revoked["rightsOnly"]) == (str(firm.person["seller"]), True)
    assert firm.events("person.changed.v1")[-1]["unitIds"] == [str(firm.unit["h2"])]
    assert firm.as_("seller")("GetMe").grants[0].unit_id == str(firm.unit["h2"])


def test_who_belonged_where_stays_when_a_post_changes_its_unit(firm: Company) -> None:
    firm.as_("admin")("UpdatePost", post={"id": str(firm.post["seller"]), "etag": "*", "unit_id": str(firm.unit["s1"])})
    person, yesterday = str(firm.person["seller"]), (clock.today() - timedelta(days=1)).isoformat()
    then = firm.as_("admin")("ListTenures", employee_id=person, on_date=yesterday).tenures
    now = firm.as_("admin")("ListTenures", employee_id=person, on_date=clock.today().isoformat()).tenures
    assert [tenure.unit_id for tenure in (*then, *now)] == [str(firm.unit["h1"]), str(firm.unit["s1"])]
    inside = firm.as_("admin")("ListTenures", unit_id=str(firm.unit["hangzhou"]), on_date=yesterday).tenures
    assert person in [tenure.employee_id for tenure in inside]


def test_a_post_nobody_ever_held_is_deleted(firm: Company) -> None:
    post = firm.as_("manager")("CreatePost", post=described(firm, "salesperson", "h1"))
    firm.as_("manager")("DeletePost", id=post.id, etag=post.etag)
    assert refusal(firm.as_("manager"), "GetPost", id=post.id) == "NOT_FOUND"
    assert refusal(firm.as_("manager"), "DeletePost", id=str(firm.post["seller"]), etag="*") == "POST_IN_USE"


def test_a_deputy_has_the_posts_grants_for_the_period(firm: Company) -> None:
    end = clock.today() + timedelta(days=3)
    wanted = appointment(firm, "supervisor", "seller", kind="TENURE_KIND_DEPUTY", end_date=end.isoformat())
    firm.as_("manager")("CreateTenure", tenure=wanted)
    grants = {grant.post_name: grant for grant in firm.as_("seller")("GetMe").grants}
    assert grants["supervisor岗"].deputy
    assert grants["supervisor岗"].end_date == end.isoformat()


def test_a_deputys_last_day_must_be_given(firm: Company) -> None:
    wanted = appointment(firm, "supervisor", "seller", kind="TENURE_KIND_DEPUTY")
    assert refusal(firm.as_("manager"), "CreateTenure", tenure=wanted) == "DEPUTY_NEEDS_END"


def test_nobody_holds_a_post_twice_on_one_day(firm: Company) -> None:
    assert (
        refusal(firm.as_("manager"), "CreateTenure", tenure=appointment(firm, "seller", "seller")) == "TENURE_OVERLAPS"
    )


def test_nobody_has_two_main_posts_on_one_day(firm: Company) -> None:
    wanted = appointment(firm, "supervisor", "seller", main=True)
    assert refusal(firm.as_("manager"), "CreateTenure", tenure=wanted) == "MAIN_TENURE_OVERLAPS"


def test_a_main_post_is_given_only_by_who_may_change_the_record(firm: Company) -> None:
    wanted = appointment(firm, "seller", "other")
    assert refusal(firm.as_("manager"), "CreateTenure", tenure={**wanted, "main": True}) == "OUT_OF_REACH"
    assert firm.as_("manager")("CreateTenure", tenure=wanted).id


def test_a_late_entry_is_seen_on_its_days(firm: Company) -> None:
    start, end = (clock.today() - timedelta(days=days) for days in (20, 10))
    wanted = appointment(firm, "supervisor", "seller", start_date=start.isoformat(), end_date=end.isoformat())
    firm.as_("manager")("CreateTenure", tenure=wanted)

    def held(on: str) -> list[str]:
        found = firm.as_("manager")("ListTenures", employee_id=str(firm.person["seller"]), on_date=on).tenures
        return sorted(tenure.post_id for tenure in found)

    assert held((end - timedelta(days=1)).isoformat()) == sorted(
        [str(firm.post["seller"]), str(firm.post["supervisor"])]
    )
    assert held((end + timedelta(days=1)).isoformat()) == [str(firm.post["seller"])]


def test_a_late_entry_in_a_unit_made_since_is_found_by_the_unit(firm: Company) -> None:
    admin, start = firm.as_("admin"), (clock.today() - timedelta(days=20)).isoformat()
    parent = {"kind": "UNIT_KIND_TEAM", "parent_id": str(firm.unit["shenzhen"])}
    unit = admin("CreateUnit", unit={"code": "S9", "name": "新组", **parent})
    post = admin("CreatePost", post={**described(firm, "salesperson", "s1"), "unit_id": unit.id})
    wanted = {**appointment(firm, "seller", "seller", start_date=start), "post_id": post.id}
    late = admin("CreateTenure", tenure=wanted)
    for unit_id in (unit.id, str(firm.unit["shenzhen"])):
        found = admin("ListTenures", unit_id=unit_id, employee_id=str(firm.person["seller"]), on_date=start).tenures
        assert [each.id for each in found] == [late.id]


def test_a_tenure_outside_its_posts_days_is_refused(firm: Company) -> None:
    post = described(firm, "salesperson", "h1", end_date=(clock.today() + timedelta(days=9)).isoformat())
    made = firm.as_("manager")("CreatePost", post=post)
    wanted = {**appointment(firm, "seller", "seller"), "post_id": made.id}
    assert refusal(firm.as_("manager"), "CreateTenure", tenure=wanted) == "POST_NOT_VALID"


def test_the_last_post_lost_ends_every_session(firm: Company) -> None:
    firm.forget_events()
    ended = firm.as_("manager")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    assert ended.end_date == (clock.today() - timedelta(days=1)).isoformat()
    revoked = firm.events("session.revoked.v1")[-1]
    assert (revoked["personId"], revoked.get("rightsOnly", False)) == (str(firm.person["seller"]), False)


def test_a_tenure_that_has_not_begun_is_called_off(firm: Company) -> None:
    later = (clock.today() + timedelta(days=5)).isoformat()
    wanted = appointment(firm, "supervisor", "seller", start_date=later)
    tenure = firm.as_("manager")("CreateTenure", tenure=wanted)
    firm.as_("manager")("EndTenure", id=tenure.id, etag=tenure.etag)
    found = firm.as_("manager")("ListTenures", employee_id=str(firm.person["seller"])).tenures
    assert [each.post_id for each in found] == [str(firm.post["seller"])]


def test_the_superior_is_the_head_of_the_next_unit(firm: Company) -> None:
    def superior(post: str) -> list[str]:
        return list(firm.as_("admin")("GetPostSuperior", id=str(firm.post[post])).employee_ids)

    assert superior("seller") == [str(firm.person["supervisor"])]
    assert superior("supervisor") == [str(firm.person["manager"])]
    assert superior("other") == [str(firm.person["shenzhen"])]
    assert superior("director") == []


def test_a_vacant_superior_is_skipped_and_named(firm: Company) -> None:
    firm.as_("admin")("EndTenure", id=str(firm.tenure["supervisor"]), etag="*")
    found = firm.as_("admin")("GetPostSuperior", id=str(firm.post["seller"]))
    assert (found.post_id, list(found.skipped_post_ids)) == (str(firm.post["manager"]), [str(firm.post["supervisor"])])


def test_an_explicit_superior_comes_first(firm: Company) -> None:
    admin = firm.as_("admin")
    admin(
        "UpdatePost", post={"id": str(firm.post["seller"]), "etag": "*", "superior_post_id": str(firm.post["shenzhen"])}
    )
    assert admin("GetPostSuperior", id=str(firm.post["seller"])).post_id == str(firm.post["shenzhen"])


def test_a_circle_of_superiors_is_refused(firm: Company) -> None:
    change = {"id": str(firm.post["manager"]), "etag": "*", "superior_post_id": str(firm.post["seller"])}
    assert refusal(firm.as_("admin"), "UpdatePost", post=change) == "SUPERIOR_CIRCLE"


def test_vacant_posts_are_listed(firm: Company) -> None:
    firm.as_("manager")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    assert [post.code for post in firm.as_("manager")("ListPosts", vacant=True).posts] == ["P-seller"]


def test_a_post_that_is_held_is_vacant_to_nobody(firm: Company) -> None:
    assert list(firm.as_("seller")("ListPosts", vacant=True).posts) == []


def test_a_post_that_has_ended_is_not_vacant(firm: Company) -> None:
    firm.as_("manager")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    ended = {"id": str(firm.post["seller"]), "etag": "*", "end_date": (clock.today() + timedelta(days=2)).isoformat()}
    assert firm.as_("admin")("UpdatePost", post=ended).vacant
    ended["end_date"] = (clock.today() - timedelta(days=2)).isoformat()
    assert not firm.as_("admin")("UpdatePost", post=ended).vacant
    assert list(firm.as_("manager")("ListPosts", vacant=True).posts) == []


def test_posts_of_another_branch_are_not_seen(firm: Company) -> None:
    assert {post.code for post in firm.as_("manager")("ListPosts").posts} == {"P-manager", "P-supervisor", "P-seller"}
    assert refusal(firm.as_("seller"), "GetPost", id=str(firm.post["other"])) == "NOT_FOUND"


def test_a_post_is_not_its_own_superior(firm: Company) -> None:
    change = {"id": str(firm.post["seller"]), "etag": "*", "superior_post_id": str(firm.post["seller"])}
    assert refusal(firm.as_("admin"), "UpdatePost", post=change) == "SUPERIOR_CIRCLE"
