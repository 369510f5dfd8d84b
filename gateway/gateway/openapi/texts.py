"""Texts of the description in both languages; what is served is in one. Schemas' comments are in English alone."""

from typing import Any

from gateway import languages

Json = dict[str, Any]

# Beside the English texts of an object: the same in Chinese, by their names.
_CHINESE = "x-zh"


def both(**texts: tuple[str, str]) -> Json:
    """Texts by their names, each in Chinese and in English."""
    english = {name: en for name, (_, en) in texts.items()}
    return {**english, _CHINESE: {name: zh for name, (zh, _) in texts.items()}}


def in_language(node: Any, language: str) -> Any:
    """The same in one language."""
    if isinstance(node, list):
        return [in_language(each, language) for each in node]
    if not isinstance(node, dict):
        return node
    told = {key: in_language(value, language) for key, value in node.items() if key != _CHINESE}
    return {**told, **node.get(_CHINESE, {})} if language == languages.ZH else told
