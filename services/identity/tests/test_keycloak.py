"""Keycloak follows identity: accounts, groups and roles; drift is found, listed and repaired."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.orm import Session

from chassis.database import transaction
from chassis.testing.rpc import Refused
from identity.keycloak import queries, reconcile, telling
from identity.keycloak.pacing import EVERY_S, Pace
from identity.keycloak.realm import Realm

from .conftest import Company
from .realms import TestRealm

PASSWORD = "correct-horse-battery"


def compare(firm: Company, realm: TestRealm) -> int:
    return reconcile.reconcile(firm.database.engine("worker"), realm.realm, settled=timedelta(0))


def tell(firm: Company, realm: Realm, subject: str, *names: str) -> None:
    ids = firm.person if subject == telling.USER else firm.unit
    with transaction(firm.database.engine("worker")) as session:
        telling.tell(session, realm, subject, [ids[name] for name in names])


def signed_in(firm: Company, realm: TestRealm, name: str) -> dict[str, str]:
    """The tokens of somebody who just signed in."""
    tell(firm, realm.realm, telling.USER, name)
    user = realm.user(name)
    assert user
    realm.realm.set_password(user["id"], PASSWORD, temporary=False)
    return realm.sign_in(name, PASSWORD)


def test_an_account_carries_the_employee(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "manager")
    user = realm.user("manager")
    assert user
    assert user["attributes"] == {"employee_id": [str(firm.person["manager"])], "locale": ["zh-CN"]}
    assert (user["firstName"], user["enabled"]) == ("manager先生", True)
    assert realm.groups_of("manager") == ["/hq/hangzhou"]
    assert realm.roles_of("manager") == {"manager"}


def test_telling_twice_changes_nothing(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    before = realm.user("seller")
    tell(firm, realm.realm, telling.USER, "seller")
    assert realm.user("seller") == before


def test_everything_is_told_at_once_and_then_nothing_differs(firm: Company, realm: TestRealm) -> None:
    assert compare(firm, realm) == len(firm.unit) + len(firm.person)
    assert compare(firm, realm) == 0


def test_what_takes_many_pages_is_compared_whole(
    firm: Company, realm: TestRealm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.keycloak.realm.PAGE", 1)
    assert compare(firm, realm) == len(firm.unit) + len(firm.person)
    assert compare(firm, realm) == 0


def test_a_changed_record_changes_the_account(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    admin, person = firm.as_("admin"), str(firm.person["seller"])
    admin("UpdateEmployee", employee={"id": person, "etag": "*", "username": "renamed", "email": "new@example.com"})
    tell(firm, realm.realm, telling.USER, "seller")
    assert realm.user("seller") is None
    renamed = realm.user("renamed")
    assert renamed
    assert renamed["email"] == "new@example.com"


def test_a_moved_unit_takes_its_groups_along(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    firm.as_("admin")("MoveUnit", id=str(firm.unit["h1"]), parent_id=str(firm.unit["shenzhen"]), etag="*")
    tell(firm, realm.realm, telling.GROUP, "h1")
    assert realm.groups_of("seller") == ["/hq/shenzhen/h1"]


def test_a_renamed_unit_renames_its_group(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    firm.as_("admin")("UpdateUnit", unit={"id": str(firm.unit["h1"]), "etag": "*", "code": "team-one"})
    tell(firm, realm.realm, telling.GROUP, "h1")
    assert realm.groups_of("seller") == ["/hq/hangzhou/team-one"]


def test_a_closed_unit_loses_its_group_and_has_it_again_when_reopened(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.GROUP, "h2")
    closing = firm.as_("admin")("CloseUnit", id=str(firm.unit["h2"]), etag="*")
    tell(firm, realm.realm, telling.GROUP, "h2")
    assert [group["name"] for group in realm.children("/hq/hangzhou")] == ["h2"]
    for service in ("customers", "probe"):
        firm.tell_of_closing(closing, source=service)
    tell(firm, realm.realm, telling.GROUP, "h2")
    assert [group["name"] for group in realm.children("/hq/hangzhou")] == []
    firm.as_("admin")("ReopenUnit", id=str(firm.unit["h2"]), etag="*")
    tell(firm, realm.realm, telling.GROUP, "h2")
    assert [group["name"] for group in realm.children("/hq/hangzhou")] == ["h2"]


def test_another_post_brings_another_role_and_group(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    admin = firm.as_("admin")
    admin("EndTenure", id=str(firm.tenure["supervisor"]), etag="*")
    admin("TransferEmployee", id=str(firm.person["seller"]), post_id=str(firm.post["supervisor"]), etag="*")
    tell(firm, realm.realm, telling.USER, "seller", "supervisor")
    assert realm.roles_of("seller") == {"supervisor"}
    assert realm.roles_of("supervisor") == set()


def test_who_is_suspended_is_out_and_disabled(firm: Company, realm: TestRealm) -> None:
    tokens = signed_in(firm, realm, "seller")
    firm.as_("admin")("SuspendEmployee", id=str(firm.person["seller"]), etag="*")
    tell(firm, realm.realm, telling.USER, "seller")
    with pytest.raises(httpx.HTTPStatusError):
        realm.refresh(tokens)
    with pytest.raises(httpx.HTTPStatusError):
        realm.sign_in("seller", PASSWORD)


def test_who_loses_the_last_post_is_out(firm: Company, realm: TestRealm) -> None:
    tokens = signed_in(firm, realm, "seller")
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    tell(firm, realm.realm, telling.USER, "seller")
    with pytest.raises(httpx.HTTPStatusError):
        realm.refresh(tokens)


def test_signing_out_everywhere_spares_who_signs_in_again(firm: Company, realm: TestRealm) -> None:
    old = signed_in(firm, realm, "seller")
    time.sleep(1.1)  # Keycloak tells the beginning of a session in whole seconds
    firm.as_("seller")("SignOut", everywhere=True)
    time.sleep(1.1)
    new = realm.sign_in("seller", PASSWORD)
    with transaction(firm.database.engine("worker")) as session:
        revocation = firm.rows("SELECT id FROM revocations ORDER BY revoked_at DESC LIMIT 1")[0].id
        telling.tell(session, realm.realm, telling.REVOCATION, [revocation])
    with pytest.raises(httpx.HTTPStatusError):
        realm.refresh(old)
    assert realm.refresh(new)


def test_a_service_account_whose_token_was_revoked_gets_another(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller")
    realm.void_tokens()
    tell(firm, realm.realm, telling.USER, "other")
    assert realm.user("other")


def test_what_cannot_be_told_waits_until_keycloak_is_back(firm: Company, realm: TestRealm) -> None:
    away = realm.settings.model_copy(update={"keycloak_url": "http://127.0.0.1:9"})
    tell(firm, Realm(away), telling.USER, "seller")
    assert realm.user("seller") is None
    assert telling.tell_waiting(firm.database.engine("worker"), Realm(away)) == 1
    assert telling.tell_waiting(firm.database.engine("worker"), realm.realm) == 0
    assert realm.user("seller")


def test_a_name_that_another_still_has_waits(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "seller", "other")
    admin = firm.as_("admin")
    admin("UpdateEmployee", employee={"id": str(firm.person["other"]), "etag": "*", "username": "somebody"})
    admin("UpdateEmployee", employee={"id": str(firm.person["seller"]), "etag": "*", "username": "other"})
    tell(firm, realm.realm, telling.USER, "seller")
    with Session(firm.database.engine("worker")) as session:
        assert [subject_id for _, subject_id, _ in queries.waiting(session)] == [firm.person["seller"]]
    tell(firm, realm.realm, telling.USER, "other")
    telling.tell_waiting(firm.database.engine("worker"), realm.realm)
    user = realm.user("other")
    assert user
    assert user["attributes"]["employee_id"] == [str(firm.person["seller"])]


@pytest.mark.parametrize(
    ("payload", "difference"),
    [
        ({"enabled": False}, "enabled"),
        ({"email": "elsewhere@example.com"}, "email"),
        ({"attributes": {"employee_id": ["somebody-else"], "locale": ["zh-CN"]}}, "employee_id"),
    ],
)
def test_a_tampered_account_is_listed_and_repaired(
    firm: Company, realm: TestRealm, payload: dict[str, object], difference: str
) -> None:
    compare(firm, realm)
    user = realm.user("seller")
    assert user
    realm.admin.update_user(user["id"], {**user, **payload})
    assert compare(firm, realm) == 1
    assert realm.user("seller") == user
    newest = firm.as_("admin")("ListDrifts").drifts[0]
    assert (newest.subject, newest.subject_id) == ("user", str(firm.person["seller"]))
    assert newest.difference == difference
    assert newest.HasField("repaired_time")


def test_a_realm_role_given_by_hand_is_taken_away(firm: Company, realm: TestRealm) -> None:
    compare(firm, realm)
    user = realm.user("seller")
    assert user
    realm.admin.assign_realm_roles(user["id"], [realm.admin.get_realm_role("admin")])
    assert compare(firm, realm) == 1
    assert realm.roles_of("seller") == {"salesperson"}


def test_a_deleted_account_is_made_anew(firm: Company, realm: TestRealm) -> None:
    compare(firm, realm)
    user = realm.user("seller")
    assert user
    realm.admin.delete_user(user["id"])
    compare(firm, realm)
    assert realm.roles_of("seller") == {"salesperson"}
    assert compare(firm, realm) == 0


def test_a_deleted_group_is_made_anew_with_its_members(firm: Company, realm: TestRealm) -> None:
    compare(firm, realm)
    realm.admin.delete_group(realm.admin.get_group_by_path("/hq/hangzhou")["id"])
    compare(firm, realm)
    compare(firm, realm)
    assert realm.groups_of("seller") == ["/hq/hangzhou/h1"]
    assert compare(firm, realm) == 0


def test_strangers_are_disabled_and_their_groups_deleted(firm: Company, realm: TestRealm) -> None:
    compare(firm, realm)
    realm.admin.create_user({"username": "stranger", "enabled": True})
    realm.admin.create_group({"name": "strangers"})
    assert compare(firm, realm) == 2
    stranger = realm.user("stranger")
    assert stranger
    assert stranger["enabled"] is False
    assert [group["name"] for group in realm.admin.get_groups({"first": 0, "max": 10})] == ["hq"]
    assert compare(firm, realm) == 0


def test_what_is_just_being_made_is_no_stranger(firm: Company, realm: TestRealm) -> None:
    engine = firm.database.engine("worker")
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as making:
            telling.tell(making, realm.realm, telling.USER, [firm.person["seller"]])
            compared = pool.submit(reconcile.reconcile, engine, realm.realm)
            with pytest.raises(TimeoutError):
                compared.result(2)
        assert compared.result(20) == 0
    user = realm.user("seller")
    assert user
    assert user["enabled"] is True
    assert realm.groups_of("seller") == ["/hq/hangzhou/h1"]
    assert not firm.as_("admin")("ListDrifts").drifts


def test_an_account_is_no_stranger_before_it_is_linked(firm: Company, realm: TestRealm) -> None:
    realm.admin.create_user({"username": "early", "enabled": True, "attributes": carrying(firm, "seller")})
    assert reconcile.reconcile(firm.database.engine("worker"), realm.realm) == 0
    tell(firm, realm.realm, telling.USER, "seller")
    realm.admin.create_user({"username": "second", "enabled": True, "attributes": carrying(firm, "seller")})
    assert reconcile.reconcile(firm.database.engine("worker"), realm.realm) == 1
    enabled = {name: (realm.user(name) or {})["enabled"] for name in ("seller", "second")}
    assert enabled == {"seller": True, "second": False}


def carrying(firm: Company, name: str) -> dict[str, list[str]]:
    return {"employee_id": [str(firm.person[name])]}


def test_only_open_drifts_are_listed_where_asked(firm: Company, realm: TestRealm) -> None:
    compare(firm, realm)
    assert firm.as_("admin")("ListDrifts").drifts
    assert not firm.as_("admin")("ListDrifts", open=True).drifts


def test_drifts_are_not_for_everybody(firm: Company) -> None:
    with pytest.raises(Refused) as refused:
        firm.as_("director")("ListDrifts")
    assert refused.value.reason == "PERMISSION_MISSING"


def test_a_one_time_password_must_be_changed(firm: Company, realm: TestRealm) -> None:
    tokens = signed_in(firm, realm, "seller")
    answer = firm.as_("admin")("ResetPassword", id=str(firm.person["seller"]))
    with pytest.raises(httpx.HTTPStatusError):
        realm.refresh(tokens)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        realm.sign_in("seller", answer.password)
    user = realm.user("seller")
    assert user
    assert user["requiredActions"] == ["UPDATE_PASSWORD"]
    assert "ResetPassword" in firm.audited("employee", firm.person["seller"])
    assert answer.password not in str(firm.rows("SELECT * FROM audit"))


def test_nobody_takes_over_an_account_with_more_rights(firm: Company, realm: TestRealm) -> None:
    tell(firm, realm.realm, telling.USER, "admin")
    clerk = firm.hire_clerk()
    with pytest.raises(Refused) as refused:
        clerk("ResetPassword", id=str(firm.person["admin"]))
    assert refused.value.reason == "NOT_GRANTABLE"


def test_comparing_takes_a_tenth_of_the_time_at_most_and_a_cheap_one_comes_each_minute() -> None:
    now, took = [0.0], [1.0]

    def compare() -> None:
        now[0] += took[0]

    pace = Pace(lambda: now[0])
    assert [pace.run(compare), pace.run(compare)] == [True, False]
    now[0] = EVERY_S
    took[0] = 17.0
    assert pace.run(compare)
    for moment, due in ((EVERY_S + 169, False), (EVERY_S + 170, True)):
        now[0] = moment
        assert pace.run(compare) is due


def test_a_comparison_that_failed_comes_again_in_a_minute() -> None:
    now = [0.0]

    def fail() -> None:
        now[0] += 20
        raise RuntimeError

    pace = Pace(lambda: now[0])
    with pytest.raises(RuntimeError):
        pace.run(fail)
    now[0] = EVERY_S
    assert pace.run(lambda: None)
