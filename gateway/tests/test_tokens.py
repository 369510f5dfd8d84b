"""Who gets in: exactly the realm's access tokens, for us, and of now."""

import base64
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import orjson
import pytest
from joserfc.jwk import RSAKey

from chassis.testing import eventually
from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services

ID = str(uuid4())


def _unsigned(realm: Realm) -> str:
    header = _encoded(orjson.dumps({"alg": "none", "kid": realm.key.kid}))
    return f"{header}.{realm.token().split('.')[1]}."


def _signed_with_the_public_key(realm: Realm) -> str:
    """The classic confusion: the public key taken for a shared secret."""
    header = _encoded(orjson.dumps({"alg": "HS256", "kid": realm.key.kid}))
    signed = f"{header}.{realm.token().split('.')[1]}"
    return f"{signed}.{_encoded(hmac.digest(realm.key.as_pem(private=False), signed.encode(), 'sha256'))}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _altered(realm: Realm) -> str:
    header, _, signature = realm.token().split(".")
    return f"{header}.{_encoded(orjson.dumps({'sub': 'admin'}))}.{signature}"


TOKENS: dict[str, Callable[[Realm, RSAKey], str]] = {
    "malformed": lambda realm, _: "nonsense",
    "two parts": lambda realm, _: ".".join(realm.token().split(".")[:2]),
    "garbage in three parts": lambda realm, _: "a.b.c",
    "header that is a list": lambda realm, _: "W10.e30.x",
    "far too long": lambda realm, _: realm.token(padding="x" * 20_000),
    "expired": lambda realm, _: realm.token(exp=int(time.time()) - 11),
    "of the future": lambda realm, _: realm.token(iat=int(time.time()) + 60),
    "not valid yet": lambda realm, _: realm.token(nbf=int(time.time()) + 60),
    "of another issuer": lambda realm, _: realm.token(iss="http://elsewhere/realms/tongxiao"),
    "issuer with a slash": lambda realm, _: realm.token(iss=f"{realm.url}/"),
    "for another audience": lambda realm, _: realm.token(aud=["account"]),
    "for no audience": lambda realm, _: realm.token(aud=None),
    "an ID token": lambda realm, _: realm.token(typ="ID"),
    "a refresh token": lambda realm, _: realm.token(typ="Refresh"),
    "without an end": lambda realm, _: realm.token(exp=None),
    "with a text for an end": lambda realm, _: realm.token(exp="tomorrow"),
    "without a beginning": lambda realm, _: realm.token(iat=None),
    "without a subject": lambda realm, _: realm.token(sub=None),
    "unsigned": lambda realm, _: _unsigned(realm),
    "signed with the public key": lambda realm, _: _signed_with_the_public_key(realm),
    "altered": lambda realm, _: _altered(realm),
    "signed by another key": lambda realm, other: realm.token(key=other),
    "of another algorithm": lambda realm, _: realm.token(algorithm="RS512"),
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("name", TOKENS)
def test_any_other_token_is_invalid(
    http: httpx.Client, services: Services, realm: Realm, other_key: RSAKey, name: str
) -> None:
    token = TOKENS[name](realm, other_key)
    answer = http.get(f"/v1/customers/{ID}", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_INVALID")
    assert answer.headers["www-authenticate"] == 'Bearer realm="tongxiao", error="invalid_token"'
    assert not services.calls


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer \u00fc"])
def test_any_other_scheme_is_invalid(http: httpx.Client, header: str) -> None:
    answer = http.get("/v1/me", headers={b"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_INVALID")


def test_nobody_gets_in_without_a_token(http: httpx.Client) -> None:
    answer = http.get("/v1/me")
    assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_MISSING")
    assert answer.headers["www-authenticate"] == 'Bearer realm="tongxiao"'


def test_clocks_may_differ_by_ten_seconds(http: httpx.Client, realm: Realm) -> None:
    token = realm.token(iat=int(time.time()) + 5)
    assert http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_an_audience_may_be_one_name(http: httpx.Client, realm: Realm) -> None:
    token = realm.token(aud="tongxiao-api")
    assert http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_made_up_key_ids_do_not_flood_the_realm(
    start_gateway: Start, services: Services, realm: Realm, other_key: RSAKey
) -> None:
    with start_gateway() as url:
        httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {realm.token()}"})
        realm.asked.clear()
        for _ in range(5):
            httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {realm.token(key=other_key)}"})
    assert realm.asked == []


def test_known_keys_serve_on_while_the_realm_is_down(http: httpx.Client, realm: Realm) -> None:
    http.get("/v1/me", headers={"Authorization": f"Bearer {realm.token()}"})
    realm.up = False
    assert http.get("/v1/me", headers={"Authorization": f"Bearer {realm.token()}"}).status_code == 200


def test_without_any_key_sign_in_is_unavailable_until_the_realm_is_back(
    start_gateway: Start, services: Services, realm: Realm
) -> None:
    realm.up = False
    headers = {"Authorization": f"Bearer {realm.token()}"}
    with start_gateway() as url:
        answer = httpx.get(f"{url}/v1/me", headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (503, "SIGN_IN_UNAVAILABLE")
        realm.up = True
        eventually(lambda: httpx.get(f"{url}/v1/me", headers=headers).status_code == 200)


def test_the_first_requests_wait_for_the_keys_together(start_gateway: Start, services: Services, realm: Realm) -> None:
    headers = {"Authorization": f"Bearer {realm.token()}"}
    realm.asked.clear()
    with start_gateway() as url, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: httpx.get(f"{url}/v1/me", headers=headers).status_code, range(8)))
    assert answers == [200] * 8
    assert len(realm.asked) == 1
