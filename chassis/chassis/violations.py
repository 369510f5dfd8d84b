"""What is wrong with a field by its schema's rules, in both languages: one table of the rules that the protos use."""

import re
from typing import Any

from chassis.status import FieldViolation

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

# Rule to its texts in Chinese and English; {0} and {1} are the rule's own numbers, {values} what it allows.
TEXTS: dict[str, tuple[str, str]] = {
    "required": ("必须填写", "must be given"),
    "string.min_len": ("至少 {0} 个字符", "must have at least {0} characters"),
    "string.max_len": ("最多 {0} 个字符", "must have at most {0} characters"),
    "string.in": ("只能是 {values} 之一", "must be one of {values}"),
    "string.uuid": ("须为 UUID", "must be a UUID"),
    "string.uuid_empty": ("必须填写", "must be given"),
    "string.email": ("须为有效的邮箱地址", "must be a valid e-mail address"),
    "repeated.min_items": ("至少 {0} 项", "must have at least {0} items"),
    "repeated.max_items": ("最多 {0} 项", "must have at most {0} items"),
    "repeated.unique": ("各项不能重复", "must not name anything twice"),
    "map.max_pairs": ("最多 {0} 项", "must have at most {0} entries"),
    "enum.defined_only": ("没有这个选项", "is none of the values defined"),
    "enum.in": ("此处不能用这个选项", "is none of the values allowed here"),
    "enum.not_in": ("必须选择一项", "must be given"),
    "int32.gte": ("不能小于 {0}", "must be at least {0}"),
    "int32.lte": ("不能大于 {0}", "must be at most {0}"),
    "int32.gte_lte": ("须在 {0} 与 {1} 之间", "must be between {0} and {1}"),
    "double.gte_lte": ("须在 {0} 与 {1} 之间", "must be between {0} and {1}"),
}
_DIVISION = ("须为国标行政区划代码，如 3301", "must be a division code of GB/T 2260, such as 3301")
# Pattern to what it stands for.
PATTERNS: dict[str, tuple[str, str]] = {
    r"^(\d{4}-\d{2}-\d{2})?$": ("须为日期，如 2026-01-31", "must be a day, such as 2026-01-31"),
    r"^((\d{4}|-)-\d{2}-\d{2}|\*{4})?$": (
        "须为日期，如 1990-01-31；不知年份时如 --01-31",
        "must be a day, such as 1990-01-31, or --01-31 without its year",
    ),
    r"^([0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{18})?$": (
        "须为 18 位统一社会信用代码",
        "must be a unified social credit code of 18 characters",
    ),
    r"^([1-9][0-9]{1}([0-9]{2}){0,2})?$": _DIVISION,
    r"^([1-9][0-9]{5})?$": ("须为六位行政区划代码，如 330106", "must be a division code of six digits, such as 330106"),
    r"^([A-T][0-9]{0,4})?$": ("须为国标行业代码，如 C35", "must be an industry code of GB/T 4754, such as C35"),
    r"^([A-Z]{3})?$": ("须为三个大写字母，如 CNY", "must be three capital letters, such as CNY"),
    r"^([a-z0-9][a-z0-9._-]{2,63})?$": (
        "须为 3 至 64 个小写字母、数字或 . _ -，以字母或数字开头",
        "must have 3 to 64 small letters, digits or . _ -, and begin with a letter or digit",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$": (
        "须为 1 至 32 个字母、数字或 . _ -，以字母或数字开头",
        "must have 1 to 32 letters, digits or . _ -, and begin with a letter or digit",
    ),
    r"^[a-z][a-z0-9_]{0,31}$": (
        "须为 1 至 32 个小写字母、数字或下划线，以字母开头",
        "must have 1 to 32 small letters, digits or underscores, and begin with a letter",
    ),
}
_NOT_EMPTY = ("不能为空", "must not be empty")


def told(violation: Any) -> FieldViolation:
    """What protovalidate found, told in both languages."""
    path, message, rule = _path(violation.proto.field), violation.proto.message, violation.rule_value
    texts = texts_of(violation.proto.rule_id, rule)
    if texts is None:
        return FieldViolation(path, message, "不符合要求")
    # Of a range the rule's value is one end; its message has both.
    numbers, allowed = _NUMBER.findall(message), rule if isinstance(rule, list) else []
    values = ", ".join(str(value) for value in allowed if value)
    zh, en = (text.format(*numbers, values=values) for text in texts)
    return FieldViolation(path, en, zh)


def texts_of(rule: str, value: Any) -> tuple[str, str] | None:
    """What a rule asks for, in Chinese and English; nothing where the table has no text for it."""
    if rule == "string.pattern":
        return PATTERNS.get(value)
    return _NOT_EMPTY if (rule, value) == ("string.min_len", 1) else TEXTS.get(rule)


def _path(field: Any) -> str:
    parts = []
    for element in field.elements if field else ():
        index = element.subscript
        parts.append(f"{element.field_name}[{index.value}]" if index else element.field_name)
    return ".".join(parts)
