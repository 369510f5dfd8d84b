"""Requests become messages, replies become JSON."""

from uuid import uuid4

import httpx
import pytest

from chassis.errors import refuse
from gateway.testing.services import Services
from tongxiao.common.v1 import audit_pb2
from tongxiao.customers.v1 import contact_pb2, contact_record_pb2, customer_pb2
from tongxiao.identity.v1 import unit_pb2

ID = str(uuid4())


def test_a_reply_is_lower_camel_json_with_defaults_and_without_absent_times(
    api: httpx.Client, services: Services
) -> None:
    reply = customer_pb2.Customer(id=ID, name="远大机电", tier=customer_pb2.CUSTOMER_TIER_A)
    reply.create_time.FromJsonString("2026-01-31T09:30:00.5Z")
    services.on("CustomersService.GetCustomer", reply)
    found = api.get(f"/v1/customers/{ID}").json()
    assert (found["id"], found["name"], found["tier"]) == (ID, "远大机电", "CUSTOMER_TIER_A")
    assert (found["nameEn"], found["phones"], found["size"]) == ("", [], "CUSTOMER_SIZE_UNSPECIFIED")
    assert found["createTime"] == "2026-01-31T09:30:00.500Z"
    assert "deleteTime" not in found


def test_a_variable_of_the_address_fills_its_field(api: httpx.Client, services: Services) -> None:
    api.get(f"/v1/customers/{ID}")
    assert services.to("CustomersService.GetCustomer")[0].request.id == ID


def test_a_custom_action_is_found_beside_the_plain_address(api: httpx.Client, services: Services) -> None:
    answer = api.post(f"/v1/units/{ID}:move", json={"parentId": ID}, headers={"If-Match": '"3"'})
    assert answer.status_code == 200
    request = services.to("UnitsService.MoveUnit")[0].request
    assert (request.id, request.parent_id, request.etag) == (ID, ID, "3")


def test_an_action_of_a_collection_is_not_taken_for_an_id(api: httpx.Client, services: Services) -> None:
    api.get("/v1/customers:search", params={"query": "远大"})
    assert services.to("CustomersService.SearchCustomers")[0].request.query == "远大"


def test_query_parameters_fill_nested_repeated_enum_and_number_fields(api: httpx.Client, services: Services) -> None:
    query = (
        "filter.unitId=u&filter.tiers=CUSTOMER_TIER_A&filter.tiers=CUSTOMER_TIER_B&order=CUSTOMER_ORDER_NAME&pageSize=7"
    )
    assert api.get(f"/v1/customers?{query}").status_code == 200
    request = services.to("CustomersService.ListCustomers")[0].request
    assert request.filter.unit_id == "u"
    assert list(request.filter.tiers) == [customer_pb2.CUSTOMER_TIER_A, customer_pb2.CUSTOMER_TIER_B]
    assert (request.order, request.page_size) == (customer_pb2.CUSTOMER_ORDER_NAME, 7)


def test_query_parameters_fill_times_and_truths(api: httpx.Client, services: Services) -> None:
    api.get("/v1/contact-records", params={"startTime": "2026-01-31T09:30:00+08:00"})
    request = services.to("ContactRecordsService.ListContactRecords")[0].request
    assert request.start_time.ToJsonString() == "2026-01-31T01:30:00Z"
    api.get("/v1/units", params={"showClosed": "true"})
    assert services.to("UnitsService.ListUnits")[0].request.show_closed


def test_a_creation_answers_201_with_its_location(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.CreateCustomer", lambda request: request.customer)
    body = {
        "id": ID,
        "name": "远大",
        "assignments": [{"lineId": ID}],
        "customFields": {"a": [1, {"b": None}], "c": "x"},
    }
    answer = api.post("/v1/customers", json=body)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/customers/{ID}")
    assert answer.json()["customFields"] == {"a": [1, {"b": None}], "c": "x"}


def test_a_child_is_created_below_the_parent_in_its_address(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.CreateShare", lambda request: request.share)
    answer = api.post(f"/v1/customers/{ID}/shares", json={"id": "s", "personId": "p", "level": "SHARE_LEVEL_READ"})
    assert answer.headers["location"] == f"/v1/customers/{ID}/shares/s"
    assert services.to("CustomersService.CreateShare")[0].request.share.customer_id == ID


def test_a_deletion_answers_204_and_nothing(api: httpx.Client, services: Services) -> None:
    answer = api.delete(f"/v1/customers/{ID}", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.content) == (204, b"")
    assert services.to("CustomersService.DeleteCustomer")[0].request.etag == "1"


def test_what_only_the_server_sets_is_passed_over(api: httpx.Client, services: Services) -> None:
    body = {"name": "远大", "createTime": "2020-01-01T00:00:00Z", "lastContactTime": "nonsense"}
    assert api.post("/v1/customers", json=body).status_code == 201
    assert not services.to("CustomersService.CreateCustomer")[0].request.customer.HasField("create_time")


def test_an_update_names_the_leaves_of_its_body_and_null_clears(api: httpx.Client, services: Services) -> None:
    body = {"name": "远大", "note": None, "customFields": {"a": 1}, "createTime": "x", "id": ID, "etag": "4"}
    assert api.patch(f"/v1/customers/{ID}", json=body).status_code == 200
    request = services.to("CustomersService.UpdateCustomer")[0].request
    assert sorted(request.update_mask.paths) == ["custom_fields", "name", "note"]
    assert (request.customer.id, request.customer.etag, request.customer.note) == (ID, "4", "")


def test_an_update_names_leaves_within_messages(api: httpx.Client, services: Services) -> None:
    body = {"place": {"latitude": 31.2}, "contactIds": [], "contactTime": "2026-01-01T00:00:00Z"}
    api.patch(f"/v1/contact-records/{ID}", json=body, headers={"If-Match": "*"})
    request: contact_record_pb2.UpdateContactRecordRequest = services.to("ContactRecordsService.UpdateContactRecord")[
        0
    ].request
    assert sorted(request.update_mask.paths) == ["contact_ids", "contact_time", "place.latitude"]
    assert request.contact_record.etag == "*"


def test_a_mask_that_is_given_counts(api: httpx.Client, services: Services) -> None:
    url = f"/v1/customers/{ID}?updateMask=shortName,tier"
    assert api.patch(url, json={"shortName": "远"}, headers={"If-Match": '"1"'}).status_code == 200
    assert list(services.to("CustomersService.UpdateCustomer")[0].request.update_mask.paths) == ["short_name", "tier"]


def test_an_action_that_needs_nothing_takes_no_body(api: httpx.Client, services: Services) -> None:
    assert api.post(f"/v1/customers/{ID}:restore").status_code == 200
    assert services.to("CustomersService.RestoreCustomer")[0].request.id == ID


def test_head_answers_as_get_without_a_body(api: httpx.Client, services: Services) -> None:
    services.on("UnitsService.GetUnit", unit_pb2.Unit(id=ID, etag="9"))
    answer = api.head(f"/v1/units/{ID}")
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, '"9"', b"")
    assert int(answer.headers["content-length"]) > 0


def test_options_names_the_methods(api: httpx.Client) -> None:
    assert api.options(f"/v1/customers/{ID}").headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_large_answers_are_compressed_for_those_who_take_it(api: httpx.Client, services: Services) -> None:
    contacts = [contact_pb2.Contact(id=str(uuid4()), name="王") for _ in range(50)]
    services.on("ContactsService.ListContacts", contact_pb2.ListContactsResponse(contacts=contacts))
    packed = api.get("/v1/contacts", headers={"Accept-Encoding": "gzip"})
    plain = api.get("/v1/contacts", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_the_service_is_told_who_asks_from_where_for_how_long_and_in_which_trace(
    api: httpx.Client, services: Services
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    api.get(f"/v1/customers/{ID}", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    call = services.to("CustomersService.GetCustomer")[0]
    assert call.metadata["tongxiao-passport"].startswith("passport-")
    assert call.metadata["tongxiao-origin"] == "127.0.0.1"
    assert call.metadata["traceparent"].split("-")[1] == trace
    assert 4 < call.seconds < 5.1


def test_a_write_has_ten_seconds(api: httpx.Client, services: Services) -> None:
    api.post("/v1/customers", json={"name": "远大"})
    assert 9 < services.to("CustomersService.CreateCustomer")[0].seconds < 10.1


@pytest.mark.parametrize(
    "path", ["/v1/customers/", "/v1/nothing", "/v1/customers/x/y/z", "/v1/units/x:explode", "/v2/customers"]
)
def test_an_address_nobody_serves_is_not_found(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (404, "ROUTE_NOT_FOUND")


def test_an_id_may_be_percent_encoded(api: httpx.Client, services: Services) -> None:
    api.get("/v1/customers/a%2Fb")
    assert services.to("CustomersService.GetCustomer")[0].request.id == "a/b"


def test_a_trail_is_verified_with_what_its_witness_keeps(api: httpx.Client, services: Services) -> None:
    kept = audit_pb2.AuditAnchors(anchors=[audit_pb2.AuditAnchor(seal=7, hash=b"x")])
    services.on("AuditService.ListAuditAnchors", audit_pb2.ListAuditAnchorsResponse(anchors=kept))
    assert api.get("/v1/audit/customers:verify", params={"afterSeal": 6}).status_code == 200
    (asked,) = services.to("AuditService.ListAuditAnchors")
    assert (asked.request.service, asked.request.after_seal) == ("customers", 6)
    assert services.to("AuditService.VerifyAudit")[0].request.anchors == kept


def test_a_trail_is_verified_without_its_witness_too(api: httpx.Client, services: Services) -> None:
    services.on("AuditService.ListAuditAnchors", refuse("STORE_UNAVAILABLE"))
    assert api.get("/v1/audit/identity:verify").status_code == 200
    assert not services.to("AuditService.VerifyAudit")[0].request.HasField("anchors")
