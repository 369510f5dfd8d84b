"""What is refused, and how a refusal reads: each is a problem with a reason and a trace."""

import itertools
import threading
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.message import Message

from chassis.errors import DomainError, Refusals, refuse
from chassis.ids import new_id
from chassis.pipeline import validate
from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.customers.v1 import customer_pb2, reason_pb2

ID = str(uuid4())
JSON = {"Content-Type": "application/json"}
refuse_customers = Refusals(reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"])


def demand_problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert (found["status"], found["reason"]) == (status, reason)
    assert len(found["traceId"]) == 32
    assert found["type"].endswith(f":{reason}")
    assert found["title"]
    assert found["detail"]
    return found


BODIES = {
    "no body": (b"", "MALFORMED_JSON", None),
    "not json": (b"{", "MALFORMED_JSON", None),
    "trailing": (b'{"name":"a"}x', "MALFORMED_JSON", None),
    "comment": (b'{"name":"a"/**/}', "MALFORMED_JSON", None),
    "not a number": (b'{"name":NaN}', "MALFORMED_JSON", None),
    "raw NUL": (b'{"name":"a\x00"}', "MALFORMED_JSON", None),
    "not utf-8": (b'{"name":"\xff"}', "MALFORMED_JSON", None),
    "utf-16": ('{"name":"a"}'.encode("utf-16"), "MALFORMED_JSON", None),
    "lone surrogate": (b'{"name":"\\ud800"}', "MALFORMED_JSON", None),
    "duplicate key": (b'{"name":"a","name":"b"}', "DUPLICATE_KEY", "name"),
    "duplicate key within": (b'{"customFields":{"a":1,"a":1}}', "DUPLICATE_KEY", "a"),
    "a list": (b"[]", "WRONG_TYPE", None),
    "a number": (b"1", "WRONG_TYPE", None),
    "null": (b"null", "WRONG_TYPE", None),
    "unknown field": (b'{"nmae":"a"}', "UNKNOWN_FIELD", "nmae"),
    "snake case": (b'{"short_name":"a"}', "UNKNOWN_FIELD", "short_name"),
    "unknown field within": (b'{"assignments":[{"lineId":"a"},{"x":1}]}', "UNKNOWN_FIELD", "assignments[1].x"),
    "number for text": (b'{"name":1}', "WRONG_TYPE", "name"),
    "text for a list": (b'{"tags":"a"}', "WRONG_TYPE", "tags"),
    "null in a list": (b'{"tags":["a",null]}', "WRONG_TYPE", "tags[1]"),
    "object for text": (b'{"name":{}}', "WRONG_TYPE", "name"),
    "list for a struct": (b'{"customFields":[]}', "WRONG_TYPE", "customFields"),
    "unknown enum value": (b'{"tier":"CUSTOMER_TIER_Z"}', "UNKNOWN_VALUE", "tier"),
    "enum in lower case": (b'{"tier":"customer_tier_a"}', "UNKNOWN_VALUE", "tier"),
    "number for an enum": (b'{"tier":1}', "WRONG_TYPE", "tier"),
    "infinite": (b'{"customFields":{"a":1e999}}', "MALFORMED_JSON", None),
    "nested 900 deep": (b'{"customFields":{"a":' + b"[" * 900 + b"]" * 900 + b"}}", "NESTED_TOO_DEEPLY", None),
    "nested 100,000 deep": (b"[" * 100_000, "MALFORMED_JSON", None),
    "nested 30 deep": (b'{"customFields":{"a":' + b"[" * 30 + b"]" * 30 + b"}}", "NESTED_TOO_DEEPLY", "customFields"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_before_any_service_is_asked(api: httpx.Client, services: Services, name: str) -> None:
    body, reason, field = BODIES[name]
    found = demand_problem(api.post("/v1/customers", content=body, headers=JSON), 400, reason)
    if field:
        assert found["errors"][0]["field"] == field
    assert not services.to("CustomersService.CreateCustomer")


RECORDS = {
    "text for a number": ({"durationMinutes": "5"}, "durationMinutes"),
    "truth for a number": ({"durationMinutes": True}, "durationMinutes"),
    "a fraction": ({"durationMinutes": 1.5}, "durationMinutes"),
    "beyond 32 bits": ({"durationMinutes": 2**31}, "durationMinutes"),
    "text for a truth": ({"twoWay": "true"}, "twoWay"),
    "not a time": ({"contactTime": "yesterday"}, "contactTime"),
    "a number for a time": ({"contactTime": 1}, "contactTime"),
    "text for a real": ({"place": {"latitude": "31"}}, "place.latitude"),
    "text for a message": ({"place": "here"}, "place"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_value_of_the_wrong_type_is_named(api: httpx.Client, name: str) -> None:
    body, field = RECORDS[name]
    found = demand_problem(api.post("/v1/contact-records", json=body), 400, "WRONG_TYPE")
    assert found["errors"] == [{"field": field, "detail": "字段类型或格式不正确"}]


QUERIES = {
    "unknown": ("nope=1", "UNKNOWN_FIELD", "nope"),
    "unknown within": ("filter.nope=1", "UNKNOWN_FIELD", "filter.nope"),
    "snake case": ("page_size=1", "UNKNOWN_FIELD", "page_size"),
    "not a number": ("pageSize=ten", "WRONG_TYPE", "pageSize"),
    "empty number": ("pageSize=", "WRONG_TYPE", "pageSize"),
    "too large": ("pageSize=99999999999", "WRONG_TYPE", "pageSize"),
    "other digits": ("pageSize=%D9%A3", "WRONG_TYPE", "pageSize"),
    "unknown value": ("order=NAME", "UNKNOWN_VALUE", "order"),
    "twice": ("pageSize=1&pageSize=2", "GIVEN_TWICE", "pageSize"),
    "not utf-8": ("filter.tag=%ff", "MALFORMED_ADDRESS", None),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_bad_query_is_refused(api: httpx.Client, name: str) -> None:
    query, reason, field = QUERIES[name]
    found = demand_problem(api.get(f"/v1/customers?{query}"), 400, reason)
    assert [each["field"] for each in found.get("errors", [])] == ([field] if field else [])


def test_a_truth_is_true_or_false(api: httpx.Client) -> None:
    demand_problem(api.get("/v1/units?showClosed=1"), 400, "WRONG_TYPE")


def test_a_body_of_ten_megabytes_is_refused_by_its_length(api: httpx.Client) -> None:
    demand_problem(api.post("/v1/customers", content=b"x" * 10_000_000, headers=JSON), 413, "BODY_TOO_LARGE")


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(api: httpx.Client) -> None:
    parts = (b"x" * 65536 for _ in range(160))
    demand_problem(api.post("/v1/customers", content=parts, headers=JSON), 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"]
)
def test_a_body_must_be_json(api: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = api.post("/v1/customers", content=b'{"name":"a"}', headers=headers)
    demand_problem(answer, 415, "MEDIA_TYPE_UNSUPPORTED")


def test_json_may_say_that_it_is_utf_8(api: httpx.Client) -> None:
    kind = {"Content-Type": "application/json; charset=UTF-8"}
    assert api.post("/v1/customers", content=b'{"name":"a"}', headers=kind).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
def test_a_bad_idempotency_key_is_refused(api: httpx.Client, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    demand_problem(api.post("/v1/customers", json={"name": "a"}, headers=headers), 400, "IDEMPOTENCY_KEY_INVALID")


def test_an_idempotency_key_is_passed_on(api: httpx.Client, services: Services) -> None:
    api.post("/v1/customers", json={"name": "a"}, headers={"Idempotency-Key": "x" * 255})
    assert services.to("CustomersService.CreateCustomer")[0].metadata["idempotency-key"] == "x" * 255


def test_an_id_in_the_body_must_be_the_one_in_the_address(api: httpx.Client) -> None:
    body = {"id": str(uuid4()), "name": "a"}
    answer = api.patch(f"/v1/customers/{ID}", json=body, headers={"If-Match": '"1"'})
    assert demand_problem(answer, 400, "ID_MISMATCH")["errors"][0]["field"] == "id"


def test_an_unknown_mask_is_refused(api: httpx.Client) -> None:
    answer = api.patch(f"/v1/customers/{ID}?updateMask=name,nope", json={"name": "a"}, headers={"If-Match": '"1"'})
    demand_problem(answer, 400, "MASK_INVALID")


def test_a_change_of_nothing_but_what_the_server_sets_is_refused(api: httpx.Client, services: Services) -> None:
    headers = {"If-Match": '"1"'}
    answer = api.patch(f"/v1/units/{ID}", json={"state": "UNIT_STATE_CLOSED", "depth": 1}, headers=headers)
    found = demand_problem(answer, 400, "FIELD_READ_ONLY")
    assert [each["field"] for each in found["errors"]] == ["state", "depth"]
    assert found["detail"] == "state, depth: 该字段不能在此修改：由系统给出，或另有专门的操作"
    whole = {"id": ID, "name": "组", "state": "UNIT_STATE_ACTIVE", "createTime": "2026-11-24T00:00:00Z", "etag": "1"}
    assert api.patch(f"/v1/units/{ID}", json=whole).status_code == 200
    assert list(services.to("UnitsService.UpdateUnit")[0].request.update_mask.paths) == ["name"]


def test_a_method_the_address_lacks_is_refused_with_those_it_has(api: httpx.Client) -> None:
    answer = api.put(f"/v1/customers/{ID}", json={})
    demand_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_a_path_that_is_not_utf_8_is_refused(api: httpx.Client) -> None:
    demand_problem(api.get("/v1/customers/%ff"), 404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("CREDIT_CODE_INVALID", 400),
        ("NOT_FOUND", 404),
        ("CREDIT_CODE_TAKEN", 409),
        ("LINE_RETIRED", 409),
        ("IN_PROGRESS", 409),
        ("VERSION_MISMATCH", 412),
        ("IDEMPOTENCY_KEY_REUSED", 422),
        ("OUT_OF_REACH", 403),
        ("REVEAL_LIMIT", 429),
        ("STORE_UNAVAILABLE", 503),
        ("INTERNAL", 500),
    ],
)
def test_a_services_refusal_keeps_its_reason(api: httpx.Client, services: Services, reason: str, status: int) -> None:
    services.on("CustomersService.CreateCustomer", refuse_customers(reason))
    answer = api.post("/v1/customers", json={"name": "a"})
    demand_problem(answer, status, reason)
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_limit_says_when_it_is_over(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.CreateCustomer", refuse_customers("REVEAL_LIMIT", limit=20, retry_after=4321))
    answer = api.post("/v1/customers", json={"name": "a"})
    assert demand_problem(answer, 429, "REVEAL_LIMIT")["metadata"] == {"limit": "20", "retryAfter": "4321"}
    assert answer.headers["retry-after"] == "4321"


def test_a_refused_field_is_named_in_the_clients_terms(api: httpx.Client, services: Services) -> None:
    services.on(
        "CustomersService.CreateCustomer", refuse_customers("CREDIT_CODE_INVALID", field="customer.credit_code")
    )
    chinese = api.post("/v1/customers", json={"name": "a"}).json()
    english = api.post("/v1/customers", json={"name": "a"}, headers={"Accept-Language": "en-GB,zh;q=0.5"}).json()
    assert chinese["title"] == "统一社会信用代码校验未通过"
    assert chinese["errors"] == [{"field": "creditCode", "detail": "统一社会信用代码校验未通过"}]
    assert english["title"] == "The unified social credit code's check character is wrong"
    assert english["errors"][0]["detail"] == english["title"]


def test_a_broken_rule_is_told_in_the_clients_language_and_spelling(api: httpx.Client, services: Services) -> None:
    def check(request: Any) -> Message:
        validate(request)
        return customer_pb2.Customer()

    services.on("CustomersService.CreateCustomer", check)
    body = {"name": "", "assignments": [{"lineId": "x"}]}
    told = [api.post("/v1/customers", json=body, headers={"Accept-Language": each}).json() for each in ("zh-CN", "en")]
    texts = [{each["field"]: each["detail"] for each in found["errors"]} for found in told]
    assert texts[0] == {"name": "不能为空", "assignments[0].lineId": "须为 UUID"}
    assert texts[1] == {"name": "must not be empty", "assignments[0].lineId": "must be a UUID"}
    assert told[0]["detail"] == "name: 不能为空; assignments[0].lineId: 须为 UUID"


def test_a_refusal_of_several_fields_names_each(api: httpx.Client, services: Services) -> None:
    services.on("JoinRequestsService.AskToJoin", refuse("NOT_EXACTLY_ONE", field=("credit_code", "phone")))
    found = api.post("/v1/customers:askToJoin", json={}).json()
    assert [each["field"] for each in found["errors"]] == ["creditCode", "phone"]
    assert found["detail"] == f"creditCode, phone: {found['title']}"


def test_what_a_refusal_tells_beside_its_reason_is_passed_on(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.CreateCustomer", refuse_customers("DUPLICATE_ELSEWHERE", unit_name="杭州"))
    assert api.post("/v1/customers", json={"name": "a"}).json()["metadata"] == {"unitName": "杭州"}


def test_a_fault_of_a_service_is_withheld(api: httpx.Client, services: Services) -> None:
    def fail(_request: Any) -> Message:
        raise RuntimeError("secret: password=hunter2")

    services.on("CustomersService.GetCustomer", fail)
    answer = api.get(f"/v1/customers/{ID}")
    demand_problem(answer, 500, "INTERNAL")
    assert "hunter2" not in answer.text


def test_a_record_too_fresh_to_be_known_is_waited_for(api: httpx.Client, services: Services) -> None:
    tries = iter([refuse("NOT_YET_KNOWN"), refuse("NOT_YET_KNOWN")])

    def reply(request: Any) -> Message | DomainError:
        return next(tries, request.contact)

    services.on("ContactsService.CreateContact", reply)
    assert api.post("/v1/contacts", json={"name": "王"}).status_code == 201
    assert len(services.to("ContactsService.CreateContact")) == 3


def test_a_record_that_never_becomes_known_is_not_found(api: httpx.Client, services: Services) -> None:
    services.on("ContactsService.CreateContact", refuse_customers.unknown("CUSTOMER_UNKNOWN", new_id()))
    answer = api.post("/v1/contacts", json={"name": "王"})
    late = demand_problem(answer, 404, "NOT_FOUND")
    assert answer.elapsed.total_seconds() < 1
    services.on("ContactsService.CreateContact", refuse("NOT_FOUND"))
    plain = api.post("/v1/contacts", json={"name": "王"}).json()
    assert {**late, "traceId": ""} == {**plain, "traceId": ""}


def test_what_the_caller_has_just_made_is_waited_for_longer(api: httpx.Client, services: Services) -> None:
    made, tries = new_id(), itertools.count()

    def reply(request: Any) -> Message | DomainError:
        return refuse_customers.unknown("CUSTOMER_UNKNOWN", made) if next(tries) < 5 else request.contact

    services.on("CustomersService.CreateCustomer", customer_pb2.Customer(id=str(made)))
    services.on("ContactsService.CreateContact", reply)
    assert api.post("/v1/customers", json={"name": "a"}).status_code == 201
    assert api.post("/v1/contacts", json={"name": "王"}).status_code == 201


def test_what_the_caller_has_deleted_is_not_waited_for(api: httpx.Client, services: Services) -> None:
    made = new_id()
    services.on("CustomersService.CreateCustomer", customer_pb2.Customer(id=str(made)))
    services.on("CustomersService.UpdateCustomer", refuse.unknown("NOT_FOUND", made))
    api.post("/v1/customers", json={"name": "a"})
    api.delete(f"/v1/customers/{made}", headers={"If-Match": "*"})
    answer = api.patch(f"/v1/customers/{made}", json={"name": "b"}, headers={"If-Match": "*"})
    demand_problem(answer, 404, "NOT_FOUND")
    assert answer.elapsed.total_seconds() < 1


def test_a_reading_waits_for_nothing(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.GetCustomer", refuse.unknown("NOT_FOUND", new_id()))
    demand_problem(api.get(f"/v1/customers/{ID}"), 404, "NOT_FOUND")
    assert len(services.to("CustomersService.GetCustomer")) == 1


def test_a_service_that_is_away_is_unavailable(start_gateway: Start, realm: Realm, services: Services) -> None:
    with start_gateway(customers_target="127.0.0.1:1") as url:
        headers = {"Authorization": f"Bearer {realm.token()}"}
        answer = httpx.get(f"{url}/v1/customers/{ID}", headers=headers)
    demand_problem(answer, 503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


def test_a_service_that_takes_too_long_is_unavailable(start_gateway: Start, realm: Realm, services: Services) -> None:
    done = threading.Event()

    def wait(request: Any) -> Message:
        done.wait(5)
        return customer_pb2.Customer(id=request.id)

    with start_gateway(read_seconds=0.2) as url:
        services.on("CustomersService.GetCustomer", wait)
        answer = httpx.get(f"{url}/v1/customers/{ID}", headers={"Authorization": f"Bearer {realm.token()}"})
        done.set()
    demand_problem(answer, 503, "SERVICE_TIMEOUT")
