"""Every rule that the protos declare says in both languages what it asks for."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import protovalidate
import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor

from chassis import violations
from chassis.pipeline import InvalidRequest, validate
from tongxiao.customers.v1 import contact_record_pb2
from tongxiao.identity.v1 import employee_pb2, post_pb2

PACKAGES = ("common", "customers", "gateway", "identity")
VALIDATE: Any = validate_pb2
Rule = tuple[str, Any]


def rules() -> Iterator[Rule]:
    """Every rule of every field, by its id."""
    for package in (import_module(f"tongxiao.{name}.v1") for name in PACKAGES):
        names = [found.name for found in pkgutil.iter_modules(package.__path__) if found.name.endswith("_pb2")]
        for module in (import_module(f"{package.__name__}.{name}") for name in names):
            for message in module.DESCRIPTOR.message_types_by_name.values():
                yield from _of_message(message)


def _of_message(message: Descriptor) -> Iterator[Rule]:
    for field in message.fields:
        yield from _of_field(field.GetOptions().Extensions[VALIDATE.field])


def _of_field(declared: Any) -> Iterator[Rule]:
    if declared.required:
        yield "required", True
    for kind, inner in declared.ListFields():
        if kind.message_type is None:
            continue
        given = {field.name: value for field, value in inner.ListFields()}
        for part in ("items", "keys", "values"):
            yield from _of_field(given.pop(part)) if part in given else ()
        if {"gte", "lte"} <= given.keys():
            given = {"gte_lte": (given["gte"], given["lte"])}
        yield from ((f"{kind.name}.{name}", value) for name, value in given.items())
        if "uuid" in given:
            yield "string.uuid_empty", True


def test_every_rule_of_the_protos_has_both_texts() -> None:
    found = {(rule, value if rule == "string.pattern" else None) for rule, value in rules()}
    assert len(found) > 20
    assert {each for each in found if not all(violations.texts_of(*each) or ("", ""))} == set()


def test_every_pattern_that_is_told_is_one_of_the_protos() -> None:
    assert violations.PATTERNS.keys() <= {value for rule, value in rules() if rule == "string.pattern"}


EMPLOYEE = {"number": "7", "name": "王"}
BROKEN = {
    "empty": ({"name": ""}, "employee.name", "不能为空", "must not be empty"),
    "long": ({"name": "x" * 101}, "employee.name", "最多 100 个字符", "must have at most 100 characters"),
    "listed": ({"locale": "fr"}, "employee.locale", "只能是 zh-CN, en 之一", "must be one of zh-CN, en"),
    "mail": ({"email": "x"}, "employee.email", "须为有效的邮箱地址", "must be a valid e-mail address"),
    "day": ({"hire_date": "x"}, "employee.hire_date", "须为日期，如 2026-01-31", "must be a day, such as 2026-01-31"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_told_in_both_languages(name: str) -> None:
    fields, path, zh, en = BROKEN[name]
    given: dict[str, Any] = {**EMPLOYEE, **fields}
    request = employee_pb2.CreateEmployeeRequest(employee=employee_pb2.Employee(**given))
    with pytest.raises(InvalidRequest) as refused:
        validate(request)
    (found,) = refused.value.violations
    assert (found.field, found.zh, found.description) == (path, zh, en)


def test_both_ends_of_a_range_are_told() -> None:
    record = contact_record_pb2.ContactRecord(duration_minutes=-3)
    record.place.latitude = 100
    found = protovalidate.collect_violations(contact_record_pb2.CreateContactRecordRequest(contact_record=record))
    told = {each.field: each.zh for each in map(violations.told, found)}
    assert told["contact_record.duration_minutes"] == "须在 0 与 1440 之间"
    assert told["contact_record.place.latitude"] == "须在 -90 与 90 之间"


def test_the_item_of_a_list_is_named() -> None:
    post = post_pb2.Post(governed_unit_ids=["x"])
    found = [violations.told(each).field for each in protovalidate.collect_violations(post)]
    assert "governed_unit_ids[0]" in found
