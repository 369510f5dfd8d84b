"""Role × route × record: every address that takes an id, asked by everybody about every record of every branch.

What is expected follows from a plain oracle. Changes that would succeed are sent with a version that never was.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.rpc import permission_name, read_permission
from chassis.testing import eventually
from gateway import aggregates, catalogue, endpoints, templates
from gateway.bindings import Binding
from identity.role.seeds import FIRST, role_id
from tongxiao.common.v1 import options_pb2

from . import oracle
from .oracle import Record
from .platform import ROLES, Platform

Json = dict[str, Any]
STALE = {"If-Match": '"999999"'}
NOWHERE, LINE, TAG = str(uuid4()), str(uuid4()), "矩阵"
# Which records an address's id names, by the RPC's service; an RPC or a variable may say otherwise.
NAMED = {"CustomersService": "customer", "ContactsService": "contact", "ContactRecordsService": "contact_record"}
NAMED |= {"ProductLinesService": "line", "UnitsService": "unit", "PostsService": "post", "RolesService": "role"}
NAMED |= {"MergesService": "customer", "RegistrationsService": "registration", "JoinRequestsService": "join_request"}
NAMED |= {"EmployeesService": "employee", "SessionsService": "employee"}
# Long work is reached by whoever began it, and by nobody else.
JOBS = {"ImportJobsService": "import_job", "EmployeeImportJobsService": "employee_import_job"}
JOBS |= {"ExportJobsService": "export_job", "ReassignmentJobsService": "reassignment_job"}
# What becomes of a request that is within reach, where that is not 200, or 412 for a change.
WITHIN = {"RestoreCustomer": 409, "CreateShare": 400, "DeleteShare": 404, "RevealContact": 200}
WITHIN |= {"UnmergeCustomer": 409, "RestoreContact": 409, "RestoreContactRecord": 409}
# Changes without a version, after which others could not be asked for: only their refusals are.
ONLY_REFUSED = {"ResetPassword", *(f"Cancel{job}Job" for job in ("Import", "EmployeeImport", "Export", "Reassignment"))}
OWN = {"UpdateContactRecord", "DeleteContactRecord", "RestoreContactRecord"}


def addressed() -> list[Binding]:
    """Every route that takes an id, the screens that gather several answers included."""
    found = [binding for binding in endpoints.served() if binding.template.variables]
    screens = [(screen.main, screen.address) for screen in aggregates.AGGREGATES]
    mains = [(catalogue.find(main.rpc), templates.parse(address)) for main, address in screens if main]
    return [*found, *(Binding(rpc, "GET", template, "") for rpc, template in mains)]


# Saved filters are left out: nobody but whose they are, or whom they are shared with, gets at one.
BINDINGS = {
    binding.rpc.method.name: binding
    for binding in addressed()
    if binding.rpc.method.containing_service.name != "SavedFiltersService"
}


@pytest.fixture(scope="module")
def records(platform: Platform) -> dict[str, list[Record]]:
    """Records of each branch by what they are; one customer is shared for reading, another for changing."""
    platform.make("director", "/v1/product-lines", id=LINE, code="MX", name="设备")
    found: dict[str, list[Record]] = {name: [] for name in {*NAMED.values(), *JOBS.values(), "tenure", "share"}}
    found["line"] = [Record("everybody", "line", LINE)]
    found["role"] = [Record("everybody", role["code"], str(role_id(role["code"]))) for role in FIRST]
    found["unit"] = [Record("placed", code, str(id_), unit=code) for code, id_ in platform.units.items()]
    for seller, shares in SHARED:
        _customer(platform, found, seller, shares)
    _jobs(platform, found)
    director = platform.client("omnipotent")
    at = {str(id_): code for code, id_ in platform.units.items()}
    named = {str(id_): username for username, id_ in platform.people.items()}
    for post in _all(director, "/v1/posts", "posts"):
        found["post"].append(Record("placed", post["code"], post["id"], unit=at[post["unitId"]]))
    places = {record.id: record.unit for record in found["post"]}
    for tenure in _all(director, "/v1/tenures", "tenures"):
        found["tenure"].append(Record("placed", "tenure", tenure["id"], unit=places[tenure["postId"]]))
    for person in _all(director, "/v1/employees", "employees"):
        name = named.get(person["id"], "")
        found["employee"].append(Record("owned", name, person["id"], unit=at[person["unitId"]], owner=name))
    return found


SHARED: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...] = (
    ("salesperson_h", ()),
    ("salesperson_h2", (("salesperson_s", False),)),
    ("salesperson_s", (("salesperson_h", True), ("manager_h", False))),
)


def _jobs(platform: Platform, found: dict[str, list[Record]]) -> None:
    """Long work of people in both branches, previewed or over."""
    customers = [record.id for record in found["customer"]]
    owner = str(platform.people["salesperson_h2"])
    begun = (
        ("import_job", "/v1/imports", {"kind": "customer"}, ("salesperson_h", "salesperson_s", "manager_h")),
        ("export_job", "/v1/exports", {"kind": "EXPORT_KIND_CUSTOMERS"}, ("manager_h", "manager_s")),
        ("employee_import_job", "/v1/employee-imports", {"kind": "employee"}, ("admin", "omnipotent_h")),
        (
            *("reassignment_job", "/v1/reassignments"),
            {"customerIds": customers, "ownerIds": [owner]},
            ("manager_h", "manager_s"),
        ),
    )
    for kind, path, given, people in begun:
        for person in people:
            client = platform.client(person)
            kept = client.post("/v1/files", content="客户名称\n矩阵\n".encode()).raise_for_status().json()
            file = {"fileKey": kept["key"]} if "import" in kind else {}
            made = platform.make(person, path, **given, **file)
            found[kind].append(Record("private", person, made, owner=person))
            eventually(partial(_is_settled, client, f"{path}/{made}"), timeout=60)


def _is_settled(client: httpx.Client, path: str) -> bool:
    return bool(client.get(path).json()["state"] != "JOB_STATE_ACTIVE")


PHONES = {"salesperson_h": "+8657188000001", "salesperson_h2": "+8657188000002", "salesperson_s": "+8675588000003"}
# Who asks to join whose customer: somebody it is not shared with.
ASKERS = {"salesperson_h": "salesperson_s", "salesperson_h2": "salesperson_h", "salesperson_s": "salesperson_h2"}


def _customer(
    platform: Platform, found: dict[str, list[Record]], seller: str, shares: tuple[tuple[str, bool], ...]
) -> None:
    """A customer of a salesperson's, with what belongs to it."""
    unit = ROLES[seller][0]

    def keep(kind: str, path: str, **given: Any) -> str:
        made = platform.make(seller, path, **given)
        found[kind].append(Record("owned", seller, made, unit=unit, owner=seller, author=seller, shares=shares))
        return made

    given = {"name": "矩阵机械", "phones": [PHONES[seller]], "assignments": [{"lineId": LINE}]}
    customer = keep("customer", "/v1/customers", tags=[TAG], **given)
    registered = platform.make(seller, "/v1/registrations", lineId=LINE, name=f"报备 {seller}")
    found["registration"].append(Record("owned", seller, registered, unit=unit, owner=seller))
    asked = _asked(platform, ASKERS[seller], given)
    found["join_request"].append(Record("owned", seller, asked, unit=unit, owner=seller, shares=shares))
    keep("contact", "/v1/contacts", name="李四", mobile="13812345678", places=[{"customerId": customer}])
    visit = {"channel": "CONTACT_CHANNEL_VISIT", "summary": "拜访", "customerId": customer}
    keep("contact_record", "/v1/contact-records", **visit)
    for colleague, writes in shares:
        level = "SHARE_LEVEL_WRITE" if writes else "SHARE_LEVEL_READ"
        share = {"personId": str(platform.people[colleague]), "level": level}
        keep("share", f"/v1/customers/{customer}/shares", **share)


def _asked(platform: Platform, asker: str, given: Json) -> str:
    """A request to join what the asker was refused for its phone."""
    client = platform.client(asker)
    assert client.post("/v1/customers", json=given).json()["reason"] == "DUPLICATE_ELSEWHERE"
    return str(
        client.post("/v1/customers:askToJoin", json={"phone": given["phones"][0]}).raise_for_status().json()["id"]
    )


def _all(client: httpx.Client, path: str, name: str) -> Iterator[Json]:
    token = ""
    while True:
        page = client.get(path, params={"pageSize": 200, "pageToken": token}).raise_for_status().json()
        yield from page[name]
        token = page["nextPageToken"]
        if not token:
            return


@pytest.mark.parametrize("name", BINDINGS)
def test_everybody_gets_what_their_posts_give_and_nothing_else(
    platform: Platform, records: dict[str, list[Record]], name: str
) -> None:
    binding, wrong = BINDINGS[name], []
    for person in ROLES:
        for record in records[kind_of(binding)]:
            wanted = expected(binding, person, record)
            if wanted is None:
                continue
            answer = ask(platform, binding, person, record.id)
            if answer.status_code != wanted:
                wrong.append((person, record, wanted, answer.status_code, answer.text[:200]))
    assert wrong == []


@pytest.mark.parametrize("name", BINDINGS)
def test_a_record_beyond_reach_answers_exactly_as_one_that_is_not_there(
    platform: Platform, records: dict[str, list[Record]], name: str
) -> None:
    binding = BINDINGS[name]
    for person in ROLES:
        hidden = [record for record in records[kind_of(binding)] if expected(binding, person, record) == 404]
        if hidden:
            nothing = told(ask(platform, binding, person, str(uuid4())))
            for record in hidden:
                assert told(ask(platform, binding, person, record.id)) == nothing


LISTS = {"contact": ("/v1/contacts", "contacts"), "contact_record": ("/v1/contact-records", "contactRecords")}
LISTS |= {"customer": ("/v1/customers", "customers"), "unit": ("/v1/units", "units"), "post": ("/v1/posts", "posts")}
LISTS |= {"employee": ("/v1/employees", "employees"), "tenure": ("/v1/tenures", "tenures")}


@pytest.mark.parametrize("person", ROLES)
def test_lists_show_what_can_be_read_one_by_one(
    platform: Platform, records: dict[str, list[Record]], person: str
) -> None:
    for kind, (path, name) in LISTS.items():
        permission = f"{PERMITTED.get(kind, kind)}.read"
        if not oracle.holds(person, permission):
            assert platform.client(person).get(path).status_code == 403
            continue
        wanted = {record.id for record in records[kind] if oracle.reads(person, permission, record)}
        listed = {found["id"] for found in _all(platform.client(person), path, name)}
        assert listed & {record.id for record in records[kind]} == wanted, kind


PERMITTED = {"tenure": "post"}


@pytest.mark.parametrize("person", [person for person in ROLES if oracle.holds(person, "customer.read")])
def test_filters_counts_and_searches_agree_with_the_list(
    platform: Platform, records: dict[str, list[Record]], person: str
) -> None:
    client = platform.client(person)
    wanted = {record.id for record in records["customer"] if oracle.reads(person, "customer.read", record)}
    listed = client.get("/v1/customers", params={"filter.tag": TAG}).json()["customers"]
    searched = client.get("/v1/customers:search", params={"query": "矩阵机械"}).json()["customers"]
    counted = client.get("/v1/customers:count", params={"filter.tag": TAG}).json()["count"]
    assert {found["id"] for found in listed} == {found["id"] for found in searched} == wanted
    assert counted == len(wanted)


EXPLAINED = {"customer.read": True, "customer.update": False, "customer.reassign": True, "customer.delete": True}


@pytest.mark.parametrize("person", ROLES)
def test_what_is_explained_of_a_customer_is_what_happens(
    platform: Platform, records: dict[str, list[Record]], person: str
) -> None:
    path, asker = f"/v1/employees/{platform.people[person]}/access", platform.client("omnipotent")
    for record in records["customer"]:
        for permission, manages in EXPLAINED.items():
            asked = {"permission": permission, "customerId": record.id}
            found = asker.get(path, params=asked).raise_for_status().json()
            may = oracle.changes(person, permission, record, manages=manages)
            may = oracle.reads(person, permission, record) if permission == "customer.read" else may
            assert (found["allowed"], bool(found["reasons"])) == (may, may), (record, permission, found)


def test_a_customer_beyond_reach_is_explained_as_one_that_is_not_there(
    platform: Platform, records: dict[str, list[Record]]
) -> None:
    manager, path = platform.client("manager_s"), f"/v1/employees/{platform.people['salesperson_s']}/access"
    hidden = next(record.id for record in records["customer"] if record.owner == "salesperson_h")
    answers = [
        manager.get(path, params={"permission": "customer.read", "customerId": id_}) for id_ in (hidden, NOWHERE)
    ]
    assert answers[0].status_code == 404
    assert told(answers[0]) == told(answers[1])


def kind_of(binding: Binding) -> str:
    """What kind of record the address's last id names; where it is a part's, that of the whole."""
    variable = binding.template.variables[0].rsplit(".", 1)[-1].removesuffix("_id")
    service = binding.rpc.method.containing_service.name
    if binding.rpc.method.name == "EndTenure":
        return "tenure"
    if service in JOBS:
        return JOBS[service]
    return variable if variable != "id" else NAMED[service]


def expected(binding: Binding, person: str, record: Record) -> int | None:
    """The status that the rules demand; None where asking would change what others are asked about."""
    name, options = binding.rpc.method.name, binding.rpc.method.GetOptions().Extensions[options_pb2.rpc]
    needed, reading = permission_name(options.permission), permission_name(read_permission(options.permission))
    if not oracle.holds(person, needed):
        return 403
    if not oracle.reads(person, reading, record):
        return 404
    if binding.rpc.reads:
        return 200
    manages = options.access == options_pb2.ACCESS_MANAGE
    # Whether it is deleted or merged is told to whoever reads it; a share that is not there is found by nobody.
    if name not in ("RestoreCustomer", "UnmergeCustomer", "DeleteShare"):
        if not oracle.changes(person, needed, record, manages=manages):
            return 403
        if name in OWN and record.author != person:
            return 403
    return None if name in ONLY_REFUSED else WITHIN.get(name, 412)


def ask(platform: Platform, binding: Binding, person: str, id_: str) -> httpx.Response:
    path, *others = binding.template.variables
    address = binding.template.text.replace(f"{{{path}}}", id_)
    for other in others:
        address = address.replace(f"{{{other}}}", NOWHERE)
    headers = STALE if binding.etag else {}
    params = {"permission": "customer.read"} if "permission" in binding.query else {}
    body = BODIES.get(binding.rpc.method.name, {}) if binding.body else None
    if binding.rpc.method.name == "CreateShare":
        body = {"personId": str(platform.people[person]), "level": "SHARE_LEVEL_READ"}
    return platform.client(person).request(binding.verb, address, json=body, headers=headers, params=params)


BODIES: dict[str, Json] = {
    "ReassignCustomer": {"lineId": LINE, "ownerId": NOWHERE},
    "MergeCustomer": {"loserId": NOWHERE},
    "AnswerJoinRequest": {"state": "JOIN_REQUEST_STATE_ACCEPTED"},
    "MoveUnit": {"parentId": NOWHERE},
    "TransferEmployee": {"postId": NOWHERE},
}


def told(answer: httpx.Response) -> Json:
    """What a refusal says, but for which request it was."""
    problem: Json = answer.json()
    return {"status": answer.status_code, **{k: v for k, v in problem.items() if k not in ("instance", "traceId")}}
