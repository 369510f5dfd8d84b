"""The description is valid OpenAPI 3.1 and says exactly what is served."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31
from starlette.routing import Route

from gateway import aggregates, endpoints, pages, uploads
from gateway.openapi import document, operations
from gateway.signin import Realm

Document = dict[str, Any]


@pytest.fixture(scope="module")
def described() -> Document:
    return document.document()


def methods(described: Document) -> set[tuple[str, str]]:
    return {(verb.upper(), path) for path, entry in described["paths"].items() for verb in entry}


def test_it_is_a_valid_openapi_3_1_document(described: Document) -> None:
    jsonschema_rs.validator_for(OPENAPI_31).validate(described)


def test_what_is_served_is_what_is_described(described: Document) -> None:
    generated = {(binding.verb, operations.path(binding)) for binding in endpoints.served()}
    screens = {("GET", aggregate.address) for aggregate in aggregates.AGGREGATES}
    files = {("POST", uploads.Upload.template.text), ("GET", uploads.Download.template.text)}
    app = pages.pages(Realm(httpx.AsyncClient(), public="", internal=""), client_id="", ready=dict)
    routes = [route for route in _routes(app) if route.path.startswith("/v1/")]
    by_hand = {(verb, route.path) for route in routes for verb in route.methods or () if verb != "HEAD"}
    assert generated | screens | files | by_hand == methods(described)


def _routes(app: Any) -> Iterator[Route]:
    for route in app.routes:
        included = getattr(route, "original_router", None)
        yield from _routes(included) if included else [route] if isinstance(route, Route) else []


def test_every_operation_has_its_own_name_and_a_summary(described: Document) -> None:
    found = [entry for item in described["paths"].values() for entry in item.values()]
    names = [entry["operationId"] for entry in found if "operationId" in entry]
    assert len(names) == len(set(names))
    assert [entry.get("operationId") for entry in found if not entry["summary"]] == []


def test_what_is_said_of_operations_is_in_one_language() -> None:
    english, chinese = (list(_said(document.document(language)["paths"])) for language in ("en", "zh-CN"))
    assert [text for text in english if _CHINESE.search(text)] == []
    assert [text for text in chinese if _ENGLISH.search(_CODE.sub("", text)) and _CHINESE.search(text)] == []
    assert len(chinese) == len(english)


_CHINESE, _ENGLISH, _CODE = re.compile("[\u4e00-\u9fff]"), re.compile("[a-z]{3,} [a-z]{2,}"), re.compile("`[^`]+`")


def _said(paths: Document) -> Iterator[str]:
    """The summaries and descriptions of operations, of their answers and of what these carry."""
    for entry in (entry for item in paths.values() for entry in item.values()):
        yield from (entry[name] for name in ("summary", "description") if name in entry)
        answers = [answer for answer in entry["responses"].values() if answer.get("content") == operations.PROBLEM]
        yield from (answer["description"] for answer in answers)


def test_versions_are_described_where_they_are_served(described: Document) -> None:
    path = described["paths"]["/v1/customers/{id}"]

    def asked(verb: str) -> set[str]:
        return {parameter["$ref"].rpartition("/")[2] for parameter in path[verb]["parameters"] if "$ref" in parameter}

    assert asked("get") == {"IfNoneMatch"}
    assert asked("patch") == {"IfMatch", "IdempotencyKey"}
    assert asked("delete") == {"IfMatchRequired", "IdempotencyKey"}
    for verb, status in (("get", "200"), ("get", "304"), ("patch", "200")):
        assert "ETag" in path[verb]["responses"][status]["headers"]
    assert {"412", "428"} <= path["patch"]["responses"].keys() & path["delete"]["responses"].keys()


def test_every_operation_tells_what_it_refuses(described: Document) -> None:
    refused = described["paths"]["/v1/customers"]["post"]["responses"]
    assert "`DUPLICATE_EXISTS`" in refused["409"]["description"]
    assert "`DUPLICATE_CHECK_LIMIT`" in refused["429"]["description"]
    assert "`PERMISSION_MISSING`" in refused["403"]["description"]
    reasons = described["components"]["schemas"]["Problem"]["properties"]["reason"]["description"]
    named = set(re.findall(r"`([A-Z_]+)`", str(described["paths"])))
    assert {reason for reason in named if f"- `{reason}`: " not in reasons} == set()


def test_texts_name_fields_as_json_does(described: Document) -> None:
    names = {name for schema in described["components"]["schemas"].values() for name in schema.get("properties", {})}
    texts = re.findall(r'"(?:description|summary)":"((?:[^"\\\\]|\\\\.)*)"', document.encoded("en").decode())
    words = {word for text in texts for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)}
    assert {word for word in words if _camel(word) in names} == set()


def _camel(word: str) -> str:
    head, *rest = word.split("_")
    return head + "".join(part.capitalize() for part in rest)


def test_every_reference_leads_somewhere(described: Document) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(described)):
        node = described
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_rules_comments_and_rights_are_carried_over(described: Document) -> None:
    customer = described["components"]["schemas"]["Customer"]
    assert customer["properties"]["name"]["maxLength"] == 200
    assert "name" in customer["required"]
    assert customer["properties"]["createTime"]["readOnly"]
    assert "GB 32100-2015" in customer["properties"]["creditCode"]["description"]
    assert described["components"]["schemas"]["CustomerUpdate"].get("required") is None
    assert "`customer.update`" in described["paths"]["/v1/customers/{id}"]["patch"]["description"]


def test_patterns_are_valid_in_ecmascript_and_python(described: Document) -> None:
    for schema in described["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            re.compile(member.get("pattern", ""))


@pytest.mark.parametrize(("language", "summary"), [("zh-CN", "列出某日的组织单元，上级在前。"), ("en", "Lists units")])
def test_it_is_served_in_the_readers_language(http: httpx.Client, language: str, summary: str) -> None:
    answer = http.get("/v1/openapi.json", headers={"Accept-Language": language})
    assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")
    assert answer.json()["paths"]["/v1/units"]["get"]["summary"].startswith(summary)
