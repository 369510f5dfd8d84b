"""Address templates of google.api.http, such as `/v1/units/{unit.id}:move`, and the tree that finds one."""

import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

_TEMPLATE = re.compile(r"(?P<path>(/([a-z0-9-]+|\{[a-z0-9_.]+\}))+)(:(?P<action>[A-Za-z]+))?")

Target = TypeVar("Target")


@dataclass(frozen=True)
class Template:
    """An address: fixed segments, variables (the proto paths of the fields they fill) and a custom action."""

    text: str
    segments: tuple[str, ...]
    variables: tuple[str, ...]
    action: str

    @property
    def pattern(self) -> tuple[str, ...]:
        """The segments with every variable made alike."""
        return tuple("{}" if segment.startswith("{") else segment for segment in self.segments)


def parse(text: str) -> Template:
    """The template that a rule states; ValueError where it is more than fixed segments, variables and one action."""
    match = _TEMPLATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a template this gateway serves")
    segments = tuple(match["path"].split("/")[1:])
    variables = tuple(segment[1:-1] for segment in segments if segment.startswith("{"))
    return Template(text, segments, variables, match["action"] or "")


@dataclass
class _Node(Generic[Target]):
    children: "dict[str, _Node[Target]]" = field(default_factory=dict)
    targets: dict[str, dict[str, Target]] = field(default_factory=dict)


class Tree(Generic[Target]):
    """Templates by their segments: finding one costs a step a segment, however many there are."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, template: Template, method: str, target: Target) -> None:
        """Serve a template's method by a target; ValueError where another does already."""
        node = self._root
        for segment in template.pattern:
            node = node.children.setdefault(segment, _Node())
        methods = node.targets.setdefault(template.action, {})
        if method in methods:
            raise ValueError(f"{method} {template.text} is served twice")
        methods[method] = target

    def find(self, path: str) -> tuple[dict[str, Target], list[str]] | None:
        """The targets by method and the variables' values, for a path as it was sent (percent-encoded).

        A fixed segment wins over a variable. UnicodeDecodeError where the path is not UTF-8.
        """
        segments = path.split("/")[1:]
        segments[-1], _, action = segments[-1].partition(":")
        node, values = self._root, []
        for segment in segments:
            child = node.children.get(segment)
            if child is None:
                child = node.children.get("{}")
                values.append(segment)
            if child is None or not segment:
                return None
            node = child
        methods = node.targets.get(action)
        return (methods, [unquote(value, errors="strict") for value in values]) if methods else None
