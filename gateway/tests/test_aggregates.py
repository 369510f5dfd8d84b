"""Screens made of several services' answers."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from chassis.errors import refuse
from gateway import aggregates
from gateway.aggregates import Aggregate, Part
from gateway.testing.fixtures import Start
from gateway.testing.realm import Realm
from gateway.testing.services import Services
from tongxiao.customers.v1 import customer_pb2
from tongxiao.identity.v1 import unit_pb2

ID = str(uuid4())


@pytest.fixture
def with_a_part(
    start_gateway: Start, services: Services, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A gateway whose overview has one more part, of another service."""
    main = Part("", "CustomersService.GetCustomerOverview", "id")
    screen = Aggregate("/v1/customers/{id}/overview", main, parts=(Part("unit", "UnitsService.GetUnit", "id"),))
    monkeypatch.setattr(aggregates, "AGGREGATES", (screen,))
    services.on("CustomersService.GetCustomerOverview", customer_pb2.CustomerOverview(withheld=["shares"]))
    with start_gateway() as url, httpx.Client(base_url=url) as client:
        client.headers["Authorization"] = f"Bearer {realm.token()}"
        yield client


def test_the_overview_is_what_customers_answers(api: httpx.Client, services: Services) -> None:
    overview = customer_pb2.CustomerOverview(customer=customer_pb2.Customer(id=ID), withheld=["contacts"])
    services.on("CustomersService.GetCustomerOverview", overview)
    found = api.get(f"/v1/customers/{ID}/overview").json()
    assert (found["customer"]["id"], found["withheld"], found["unavailable"]) == (ID, ["contacts"], [])
    assert services.to("CustomersService.GetCustomerOverview")[0].request.id == ID


def test_there_is_no_overview_without_its_customer(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.GetCustomerOverview", refuse("NOT_FOUND"))
    assert api.get(f"/v1/customers/{ID}/overview").status_code == 404
    services.on("CustomersService.GetCustomerOverview", refuse("STORE_UNAVAILABLE"))
    assert api.get(f"/v1/customers/{ID}/overview").status_code == 503


def test_a_part_stands_beside_the_rest(with_a_part: httpx.Client, services: Services) -> None:
    services.on("UnitsService.GetUnit", unit_pb2.Unit(id=ID, name="杭州"))
    found = with_a_part.get(f"/v1/customers/{ID}/overview").json()
    assert (found["unit"]["name"], found["withheld"], found["unavailable"]) == ("杭州", ["shares"], [])


def test_a_part_whose_service_is_down_is_named(with_a_part: httpx.Client, services: Services) -> None:
    services.on("UnitsService.GetUnit", refuse("STORE_UNAVAILABLE"))
    answer = with_a_part.get(f"/v1/customers/{ID}/overview")
    assert (answer.status_code, answer.json()["unavailable"]) == (200, ["unit"])
    assert "unit" not in answer.json()


def test_a_part_one_may_not_see_is_left_out(with_a_part: httpx.Client, services: Services) -> None:
    services.on("UnitsService.GetUnit", refuse("PERMISSION_MISSING"))
    found = with_a_part.get(f"/v1/customers/{ID}/overview").json()
    assert found["unavailable"] == []
    assert "unit" not in found


def test_home_is_one_call_with_every_part_one_may_read(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.GetCustomerSummary", customer_pb2.CustomerSummary(owned_count=7))
    services.on("PostsService.ListPosts", refuse("PERMISSION_MISSING"))
    services.on("EmployeesService.ListDrifts", refuse("PERMISSION_MISSING"))
    found = api.get("/v1/home").json()
    assert (found["customers"]["ownedCount"], found["unavailable"]) == (7, [])
    assert {"me", "records", "units", "imports", "exports", "reassignments"} <= found.keys()
    assert not {"vacantPosts", "drifts"} & found.keys()
    assert services.to("ContactRecordsService.ListContactRecords")[0].request.author_id
    assert services.to("ExportJobsService.ListExportJobs")[0].request.at_work


def test_home_names_what_cannot_be_had(api: httpx.Client, services: Services) -> None:
    services.on("CustomersService.GetCustomerSummary", refuse("STORE_UNAVAILABLE"))
    answer = api.get("/v1/home")
    assert (answer.status_code, answer.json()["unavailable"]) == (200, ["customers"])
    assert "me" in answer.json()


def test_home_of_nobody_is_refused(api: httpx.Client, services: Services) -> None:
    services.on("SessionsService.GetMe", refuse("SESSION_REVOKED"))
    assert api.get("/v1/home").status_code == 401


def test_home_is_described(api: httpx.Client) -> None:
    described = api.get("/v1/openapi.json").json()["paths"]["/v1/home"]["get"]
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert (described["operationId"], schema["required"]) == ("getHome", ["unavailable"])
    assert schema["properties"]["customers"] == {"$ref": "#/components/schemas/CustomerSummary"}
