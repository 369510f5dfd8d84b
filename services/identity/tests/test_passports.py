"""Passports: an access token exchanged for grants, and every way in which that is refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.caller import Caller, FieldAccess, Grant
from chassis.errors import DomainError
from chassis.ids import new_id
from chassis.passport import read, sign
from chassis.testing import FrozenClock, eventually
from chassis.testing.rpc import KEY, Refused
from identity.role.catalogue import numbers_of
from identity.role.seeds import FIRST, role_id
from identity.session import queries
from identity.session.signing import SigningKeys
from identity.session.tokens import RealmKeys
from tongxiao.common.v1 import passport_pb2

from .conftest import REALM_KEY, Company


def issued(firm: Company, access_token: str) -> Caller:
    answer = firm.door.with_passport("")("IssuePassport", access_token=access_token)
    return read(passport_pb2.Passport.FromString(jws.deserialize_compact(answer.passport, KEY).payload))


def refused(firm: Company, access_token: str) -> str:
    with pytest.raises(Refused) as found:
        issued(firm, access_token)
    return found.value.reason


def test_a_passport_holds_the_grants_of_todays_posts(firm: Company) -> None:
    caller = issued(firm, firm.token("manager"))
    assert caller.person_id == firm.person["manager"]
    assert [(grant.post_id, grant.unit_id, grant.governs) for grant in caller.grants] == [
        (firm.post["manager"], firm.unit["hangzhou"], (firm.unit["hangzhou"],))
    ]


def test_a_service_accepts_the_passport(firm: Company) -> None:
    answer = firm.door.with_passport("")("IssuePassport", access_token=firm.token("seller"))
    me = firm.door.with_passport(answer.passport)("GetMe")
    assert me.username == "seller"
    assert [grant.post_name for grant in me.grants] == ["seller岗"]
    assert "customer.read" in me.grants[0].permissions


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere/realms/tests"},
        {"aud": ["another-api"]},
        {"typ": "ID"},
        {"exp": 1},
        {"iat": 2**39},
        {"sub": ""},
        {"employee_id": "nobody"},
        {"employee_id": "01890a5d-ac96-774b-bcce-b302099a8057"},
    ],
)
def test_a_token_that_is_not_for_us_is_refused(firm: Company, claims: dict[str, object]) -> None:
    assert refused(firm, firm.token("seller", **claims)) == "TOKEN_INVALID"


def test_a_token_signed_by_another_key_is_refused(firm: Company) -> None:
    header, payload, _ = firm.token("seller").split(".")
    stolen = firm.token("director").split(".")[2]
    assert refused(firm, f"{header}.{payload}.{stolen}") == "TOKEN_INVALID"


def test_an_account_that_carries_anothers_id_is_refused(firm: Company) -> None:
    with firm.database.engine("owner").begin() as connection:
        connection.execute(
            text("UPDATE employees SET keycloak_id = 'theirs' WHERE id = :id"), {"id": firm.person["director"]}
        )
    assert refused(firm, firm.token("director", sub="mine")) == "TOKEN_INVALID"
    assert issued(firm, firm.token("director", sub="theirs")).person_id == firm.person["director"]


def test_an_account_without_the_claim_is_found_by_its_own_id(firm: Company) -> None:
    with firm.database.engine("owner").begin() as connection:
        connection.execute(
            text("UPDATE employees SET keycloak_id = 'theirs' WHERE id = :id"), {"id": firm.person["seller"]}
        )
    assert issued(firm, firm.token("seller", sub="theirs", employee_id=None)).person_id == firm.person["seller"]


def test_a_grant_needs_the_realm_role_of_its_level(firm: Company) -> None:
    assert refused(firm, firm.token("manager", roles=["salesperson"])) == "NO_POST"
    assert issued(firm, firm.token("manager", roles=["manager"])).grants


def test_who_holds_no_post_gets_no_passport(firm: Company) -> None:
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), etag="*")
    assert refused(firm, firm.token("seller", iat=int(clock.now().timestamp()) + 2)) == "NO_POST"


def test_who_is_suspended_gets_no_passport(firm: Company) -> None:
    firm.as_("admin")("SuspendEmployee", id=str(firm.person["seller"]), etag="*")
    assert refused(firm, firm.token("seller")) == "SESSION_REVOKED"
    assert refused(firm, firm.token("seller", iat=int(clock.now().timestamp()) + 2)) == "EMPLOYEE_NOT_ACTIVE"


def test_a_passport_lasts_ten_minutes(firm: Company, frozen: FrozenClock) -> None:
    caller = issued(firm, firm.token("seller"))
    assert timedelta(minutes=9, seconds=58) < caller.expires_at - caller.issued_at <= timedelta(minutes=10)


def test_a_passport_never_outlasts_a_post(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(clock.end_of_day(clock.today()) - timedelta(minutes=4))
    today = clock.today().isoformat()
    firm.as_("admin")("EndTenure", id=str(firm.tenure["seller"]), end_date=today, etag="*")
    frozen.advance(seconds=2)
    assert issued(firm, firm.token("seller")).expires_at == clock.end_of_day(clock.today())
    frozen.advance(minutes=4)
    assert refused(firm, firm.token("seller")) == "NO_POST"


def test_a_day_ends_where_the_posts_unit_is(firm: Company, frozen: FrozenClock) -> None:
    frozen.set(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    admin = firm.as_("admin")
    unit = admin("GetUnit", id=str(firm.unit["h1"]))
    admin("UpdateUnit", unit={"id": unit.id, "etag": unit.etag, "time_zone": "America/New_York"})
    admin("EndTenure", id=str(firm.tenure["seller"]), end_date="2026-11-24", etag="*")
    frozen.set(datetime(2026, 11, 25, 4, 55, tzinfo=UTC))
    assert issued(firm, firm.token("seller")).expires_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def test_twenty_posts_fit_into_four_kilobytes() -> None:
    roles = [role for role in FIRST if role["code"] != "admin"]
    granted = tuple(
        Grant(
            post_id=new_id(),
            unit_id=new_id(),
            governs=(new_id(), new_id()),
            permissions=numbers_of(roles[at % len(roles)]["permissions"]),
            field_rights={name: FieldAccess(access) for name, access in roles[at % len(roles)]["field_rights"].items()},
            until=clock.now(),
        )
        for at in range(20)
    )
    caller = Caller(
        person_id=new_id(), session_id=str(new_id()), grants=granted, issued_at=clock.now(), expires_at=clock.now()
    )
    assert len(sign(caller, KEY)) <= 4096


def test_the_public_keys_are_served_and_no_private_ones(firm: Company) -> None:
    answer = json.loads(firm.door.with_passport("")("ListPassportKeys").jwks)
    assert [key["kid"] for key in answer["keys"]] == [KEY.kid]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & answer["keys"][0].keys()


def test_a_new_key_signs_once_it_has_settled(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(KEY.as_pem(private=True))
    keys = SigningKeys(tmp_path, settle_s=0.2, check_s=0)
    (tmp_path / "b.pem").write_bytes(RSAKey.generate_key(2048, private=True).as_pem(private=True))
    assert {key["kid"] for key in json.loads(keys.public())["keys"]} == {"a", "b"}
    assert keys.newest().kid == "a"
    eventually(lambda: keys.newest().kid == "b", timeout=2)


def test_the_realms_keys_are_fetched_anew_for_an_unknown_one_but_not_too_often() -> None:
    asked: list[int] = []
    old, new = REALM_KEY, RSAKey.generate_key(2048, {"kid": "new"}, private=True)

    def fetch() -> KeySet:
        asked.append(1)
        return KeySet([old] if len(asked) == 1 else [old, new])

    keys = RealmKeys(fetch, refetch_s=0)
    first = keys.get()
    assert keys.get() is first
    assert {key.kid for key in keys.get(beyond=first).keys} == {"realm", "new"}
    slow = RealmKeys(fetch, refetch_s=30)
    known = slow.get()
    assert slow.get(beyond=known) is known


def test_the_last_keys_serve_while_keycloak_is_down() -> None:
    answers = iter([KeySet([REALM_KEY])])

    def fetch() -> KeySet:
        try:
            return next(answers)
        except StopIteration:
            raise httpx.ConnectError("down") from None

    keys = RealmKeys(fetch, refetch_s=0)
    first = keys.get()
    assert keys.get(beyond=first) is first


def test_without_any_keys_nobody_can_sign_in() -> None:
    def fetch() -> KeySet:
        raise httpx.ConnectError("down")

    with pytest.raises(DomainError) as found:
        RealmKeys(fetch, refetch_s=0).get()
    assert found.value.reason == "SIGN_IN_UNAVAILABLE"


def test_signing_out_voids_this_session_only(firm: Company) -> None:
    person = firm.person["seller"]
    firm.as_("seller")("SignOut")
    assert refused(firm, firm.token("seller")) == "SESSION_REVOKED"
    assert issued(firm, firm.token("seller", sid="another device"))
    assert firm.events("session.revoked.v1")[-1]["sessionId"] == f"session of {person}"


def test_signing_out_everywhere_voids_every_session(firm: Company) -> None:
    firm.as_("seller")("SignOut", everywhere=True)
    assert refused(firm, firm.token("seller", sid="another device")) == "SESSION_REVOKED"


def test_revocations_are_told_to_processes_that_ask(firm: Company) -> None:
    moment = clock.stamp(clock.now())
    firm.as_("seller")("SignOut")
    told = firm.door.as_process()("ListRevocations", since_time=moment)
    assert [found.person_id for found in told.revocations] == [str(firm.person["seller"])]
    with pytest.raises(Refused):
        firm.as_("seller")("ListRevocations", since_time=moment)


def test_a_passport_waits_for_a_change_of_rights_under_way(firm: Company) -> None:
    person = firm.person["seller"]
    with Session(firm.database.engine("worker")) as session, ThreadPoolExecutor(1) as threads:
        queries.lock_people(session, [person])
        waiting = threads.submit(issued, firm, firm.token("seller"))
        session.execute(
            text("UPDATE posts SET role_id = :role WHERE id = :id"),
            {"role": role_id("finance"), "id": firm.post["seller"]},
        )
        session.commit()
        caller = waiting.result(timeout=10)
    assert caller.grants[0].permissions == numbers_of(next(r for r in FIRST if r["code"] == "finance")["permissions"])
