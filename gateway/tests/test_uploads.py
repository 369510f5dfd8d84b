"""Files: uploaded within a limit, fetched by their owner alone."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis import files
from gateway.testing.realm import Realm
from gateway.testing.services import PERSON, Services
from tongxiao.identity.v1 import session_pb2


def test_a_file_comes_back_as_it_was_sent(api: httpx.Client) -> None:
    content = bytes(range(256)) * 10_000
    kept = api.post("/v1/files?name=%E5%AE%A2%E6%88%B7.csv", content=content)
    assert (kept.status_code, kept.json()["name"], kept.json()["size"]) == (201, "客户.csv", len(content))
    fetched = api.get(kept.headers["location"])
    assert (fetched.status_code, fetched.content) == (200, content)
    assert fetched.headers["content-disposition"] == (
        "attachment; filename=\"tongxiao.csv\"; filename*=UTF-8''%E5%AE%A2%E6%88%B7.csv"
    )
    assert fetched.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh-CN", "%E5%AE%A2%E6%88%B7%20%E5%A4%B1%E8%B4%A5%E8%A1%8C.csv"),
        ("en", "%E5%AE%A2%E6%88%B7%20failed%20rows.csv"),
    ],
)
def test_a_file_made_here_has_its_name_in_the_readers_language(api: httpx.Client, language: str, told: str) -> None:
    key = files.new_key(PERSON, ".csv")
    files.put(key, b"made")
    files.name(key, "客户 失败行.csv", "客户 failed rows.csv")
    fetched = api.get(f"/v1/files/{key}", headers={"Accept-Language": language})
    assert fetched.headers["content-disposition"].endswith(f"filename*=UTF-8''{told}")
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"


def test_a_file_without_a_name_has_the_systems(api: httpx.Client) -> None:
    key = api.post("/v1/files", content=b"x").json()["key"]
    fetched = api.get(f"/v1/files/{key}")
    assert fetched.headers["content-disposition"] == "attachment; filename=\"tongxiao\"; filename*=UTF-8''tongxiao"


def test_no_name_breaks_out_of_its_header(api: httpx.Client) -> None:
    key = api.post("/v1/files", params={"name": '"\r\nx: y; ../a.csv'}, content=b"x").json()["key"]
    fetched = api.get(f"/v1/files/{key}")
    assert "x" not in fetched.headers
    assert fetched.headers["content-disposition"].startswith('attachment; filename="tongxiao.csv"; filename*=')


def test_nobody_else_fetches_it(api: httpx.Client, services: Services, realm: Realm) -> None:
    kept = api.post("/v1/files", content=b"mine").json()

    def another(_request: Any) -> session_pb2.IssuePassportResponse:
        answer = session_pb2.IssuePassportResponse(passport="other", person_id=str(uuid4()))
        answer.expire_time.FromSeconds(2**32)
        return answer

    services.on("SessionsService.IssuePassport", another)
    stranger = api.get(f"/v1/files/{kept['key']}", headers={"Authorization": f"Bearer {realm.token()}"})
    assert (stranger.status_code, stranger.json()["reason"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("key", [f"{PERSON.hex}-none", f"{PERSON.hex}-..%2F..%2Fsecret", "x", "%00"])
def test_a_key_of_nothing_answers_as_another_s(api: httpx.Client, key: str) -> None:
    answer = api.get(f"/v1/files/{key}")
    assert (answer.status_code, answer.json()["reason"]) == (404, "NOT_FOUND")


def test_a_file_that_is_too_large_is_not_kept(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)

    def parts() -> Any:
        yield from (b"x" * 400 for _ in range(5))

    for content in (b"x" * 1001, parts()):
        answer = api.post("/v1/files", content=content)
        assert (answer.status_code, answer.json()["reason"]) == (413, "FILE_TOO_LARGE")


def test_where_no_place_is_set_files_are_unavailable(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_store", None)
    for answer in (api.post("/v1/files", content=b"x"), api.get(f"/v1/files/{PERSON.hex}-none")):
        assert (answer.status_code, answer.json()["reason"]) == (503, "FILES_UNAVAILABLE")


def test_an_upload_needs_somebody_signed_in(http: httpx.Client) -> None:
    assert http.post("/v1/files", content=b"x").status_code == 401
