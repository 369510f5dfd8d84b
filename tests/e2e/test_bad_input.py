"""Each field of each request that creates or changes something, wrong in every way its declaration suggests.

And each field of each question, right: so that no filter is there that cannot be used.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chassis.testing import ServiceDatabase, eventually
from gateway import endpoints
from gateway.bindings import Binding, json_path
from identity.role.seeds import role_id

from . import fields
from .fields import ABSENT, Case, World
from .platform import Platform

Json = dict[str, Any]
CHANGING = {binding.rpc.method.name: binding for binding in endpoints.served() if fields.changing(binding)}
LISTS = [binding for binding in endpoints.served() if binding.verb == "GET" and binding.query]
# What an import is of, by the service that takes it.
IMPORTED = {"customers": "customer", "identity": "employee"}
# What a question cannot be asked without.
DEMANDED_QUERY = {"permission": "customer.read", "query": "远山"}
# Roles are the whole company's: only who governs all of it may make one.
EVERYWHERE = {"Role"}
COUNTED = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
AND NOT relispartition AND has_table_privilege(%s, oid, 'INSERT') ORDER BY relname
"""
WAITING = """
SELECT count(*) FROM outbox WHERE type IN ('org.changed.v1', 'person.changed.v1', 'session.revoked.v1')
AND event_id NOT IN (SELECT event_id FROM inbox)
"""
WORKING = "SELECT count(*) FROM jobs WHERE state = 'ACTIVE'"
# The relay, which seals the trail every second, tells of it by itself; the worker counts what lies in units.
UNTOLD = {"outbox": " WHERE type <> 'audit.sealed.v1'", "unit_figures": " WHERE false"}
numbers = itertools.count(100)


def unique() -> str:
    return f"x{next(numbers)}"


@pytest.fixture(scope="module")
def world(platform: Platform) -> World:
    """Records of the branch of those who ask, and of another."""
    line = platform.make("omnipotent", "/v1/product-lines", code="BAD", name="设备")
    found = []
    for branch, seller, team in (("h", "salesperson_h", "h1"), ("s", "salesperson_s", "s1")):
        place = {"customerId": platform.make(seller, "/v1/customers", name="远山", assignments=[{"lineId": line}])}
        unit = str(platform.units[team])
        found.append(
            {
                "customer": place["customerId"],
                "contact": platform.make(seller, "/v1/contacts", name="李四", places=[place]),
                "person": platform.make("omnipotent", "/v1/employees", number=f"BAD-{branch}", name="x", unitId=unit),
                "unit": unit,
                "post": platform.make(
                    "omnipotent",
                    "/v1/posts",
                    code=f"BAD-{branch}",
                    name="x",
                    unitId=unit,
                    roleId=str(role_id("salesperson")),
                ),
            }
        )
    people = [known["person"] for known in found]
    eventually(lambda: _known(platform, people))
    everywhere = {"line": line, "role": str(role_id("salesperson")), **_long_work(platform, found[0])}
    return World(known=found[0] | everywhere, foreign=found[1])


def _long_work(platform: Platform, known: dict[str, str]) -> dict[str, str]:
    """Jobs of who asks questions, and a file of who asks for more."""
    keys = [
        platform.client(name).post("/v1/files", content="客户名称\n远山\n".encode()).raise_for_status().json()["key"]
        for name in ("omnipotent", "omnipotent_h")
    ]
    reassigned = {"customerIds": [known["customer"]], "ownerIds": [str(platform.people["salesperson_h2"])]}
    return {
        "import_job": platform.make("omnipotent", "/v1/imports", kind="customer", fileKey=keys[0]),
        "reassignment_job": platform.make("omnipotent", "/v1/reassignments", **reassigned),
        "file": keys[1],
    }


def _known(platform: Platform, people: list[str]) -> bool:
    """Whether customers has heard of new employees."""
    with platform.customers.admin() as connection:
        rows = connection.execute("SELECT FROM org_people WHERE id = ANY(%s::uuid[])", [people]).fetchall()
    return len(rows) == len(people)


@pytest.mark.parametrize("name", CHANGING)
def test_each_field_is_taken_or_refused_by_name_and_nothing_is_half_done(
    platform: Platform, world: World, name: str
) -> None:
    asked = Asked(platform, world, CHANGING[name])
    first = asked.send(asked.base())
    assert first.is_success, f"fields.py does not know how to fill {name}: {first.text}"
    asked.settle()
    wrong = [told for case in asked.cases() for told in asked.judge(case)]
    assert wrong == []


@pytest.mark.parametrize("name", [binding.rpc.method.name for binding in LISTS])
def test_each_filter_can_be_used(platform: Platform, world: World, name: str) -> None:
    binding = next(binding for binding in LISTS if binding.rpc.method.name == name)
    request, client = binding.rpc.method.input_type, platform.client("omnipotent")
    path = binding.template.text
    for variable in binding.template.variables:
        path = path.replace(
            f"{{{variable}}}", world.known[fields.KINDS.get(fields.stem(variable), fields.stem(variable))]
        )
    demanded = {path: value for path, value in DEMANDED_QUERY.items() if path in binding.query}
    for field_path, field in binding.query.items():
        for value in fields.queries(field, world, binding.rpc.method.name):
            asked = {json_path(request, field_path): value}
            answer = client.get(path, params={**demanded, **asked})
            unknown = answer.status_code == 404 or answer.json().get("reason", "").endswith("_UNKNOWN")
            assert answer.status_code == 200 or unknown, (asked, answer.text)


class Asked:
    """One binding, asked again and again."""

    def __init__(self, platform: Platform, world: World, binding: Binding) -> None:
        self._platform, self._world, self._binding = platform, world, binding
        body = binding.body_type
        assert body is not None
        self._body, self._resource = body, KIND.get(body.name, body.name.lower())
        self._client = platform.client("omnipotent" if body.name in EVERYWHERE else "omnipotent_h")
        self._database: ServiceDatabase = getattr(platform, binding.rpc.service)
        with self._database.admin() as connection:
            self._tables = [row[0] for row in connection.execute(COUNTED, [self._database.role("api")])]

    def base(self) -> Json:
        """What is taken."""
        if not self._binding.creates:
            return {}
        made = fields.valid(self._body, self._world, self._resource, unique)
        if self._body.name == "ImportJob":
            made |= {"kind": IMPORTED[self._binding.rpc.service], "fileKey": self._world.known["file"]}
        return made

    def cases(self) -> Iterator[Case]:
        yield from fields.cases(self._body, self._world, self._resource)
        for field, message in fields.nested(self._body):
            at = f"{field.json_name}[0]." if field.is_repeated else f"{field.json_name}."
            yield from fields.cases(message, self._world, self._resource, prefix=at)

    def judge(self, case: Case) -> Iterator[str]:
        """What is wrong with the answer to a case, and with what it left behind."""
        body = self._with(case)
        if body is None:
            return
        before = self._counts()
        answer = self.send(body)
        told = f"{case.path} {case.name}: {answer.status_code} {answer.text[:300]}"
        if answer.is_success:
            self.settle()
        elif not 400 <= answer.status_code < 500 or not answer.json().get("reason"):
            yield f"no refusal: {told}"
        else:
            after = self._counts()
            if after != before:
                yield f"half done: {told} {set(after.items()) ^ set(before.items())}"
            named = [error["field"] for error in answer.json().get("errors", ())]
            faulty = answer.status_code == 400 and answer.json()["reason"] != "MALFORMED_JSON"
            if faulty and not any(_about(field, case) for field in named):
                yield f"the field is not named: {told}"

    def send(self, body: Json) -> httpx.Response:
        path = self._binding.template.text
        for variable in self._binding.template.variables:
            path = path.replace(f"{{{variable}}}", self._id(variable))
        headers = {} if self._binding.creates else {"If-Match": "*"}
        return self._client.request(self._binding.verb, path, json=body, headers=headers)

    def _with(self, case: Case) -> Json | None:
        """The body with the case in it; None where a case is about a part that is not there."""
        body = self.base()
        *parents, last = case.path.replace("[0]", ".0").split(".")
        at: Any = body
        for field, message in fields.nested(self._body):
            if field.json_name == parents[0] if parents else False:
                part = fields.valid(message, self._world, self._resource, unique)
                body[field.json_name] = [part] if field.is_repeated else part
        for parent in parents:
            at = at[int(parent) if parent.isdecimal() else parent]
        if case.value is ABSENT:
            if last not in at:
                return None
            del at[last]
        else:
            at[last] = case.value
        return body

    def _id(self, variable: str) -> str:
        """The record that an address names: for an update, one made for it."""
        if not variable.endswith(".id"):
            return self._world.known[fields.stem(variable)]
        if not hasattr(self, "_made"):
            creating = CHANGING[self._binding.rpc.method.name.replace("Update", "Create")]
            maker = Asked(self._platform, self._world, creating)
            self._made = str(maker.send(maker.base()).raise_for_status().json()["id"])
            self.settle()
        return self._made

    def _counts(self) -> dict[str, int]:
        counts = (f"SELECT '{name}', count(*) FROM \"{name}\"{UNTOLD.get(name, '')}" for name in self._tables)
        asked = " UNION ALL ".join(counts)
        with self._database.engine("owner").connect() as connection:
            return dict(connection.execute(text(asked)).all())

    def settle(self) -> None:
        """Wait until identity's worker has done its part for all that was told, and long work its own: both write."""
        told = self._binding.rpc.service == "identity"
        eventually(lambda: not (told and self._count(WAITING)) and not self._count(WORKING), timeout=30)

    def _count(self, query: str) -> int:
        with self._database.engine("owner").connect() as connection:
            return int(connection.scalar(text(query)) or 0)


KIND = {"Employee": "person", "ProductLine": "line"}


def _about(field: str, case: Case) -> bool:
    """Whether a refusal's field is the case's, a part of it, or what it is a part of."""
    whole, at = case.path.replace("[0]", ""), field.replace("[0]", "")
    return at.startswith(whole) or whole.startswith(at)
