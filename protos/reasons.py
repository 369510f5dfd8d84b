"""Which reasons each RPC may refuse a request for, read off the services' own code: what its function leads to.

Every function that a function names counts as called, and what a docstring says is refused counts as refused: a reason
may be told that a call cannot meet. The services' tests hold each refusal they meet against this.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto

ROOT = Path(__file__).parents[1]
SERVICES = ("customers", "identity")
_WORD = re.compile(r"\b[A-Z]+(?:_[A-Z]+)*\b")
# What is handed to these runs later, as long work; but for what a plan is checked by.
_LATER, _AT_ONCE = {"Importer", "Kind"}, "demand"
# Methods of so many things that their names tell nothing.
_EVERYBODYS = {name for kind in (dict, list, set, str) for name in dir(kind)}


@dataclass
class Node:
    """A function, a class or a module's value: the reasons it names, and what else it names."""

    reasons: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def told(files: Iterable[FileDescriptorProto]) -> dict[str, list[str]]:
    """The reasons of each RPC, by its full name; what the chassis and the gateway refuse in every call is left out."""
    known = list(files)
    declared = {
        file.package: {value.name.removeprefix("REASON_") for value in enum.value if value.number}
        for file in known
        for enum in file.enum_type
        if enum.name == "Reason"
    }
    found = {}
    for name in SERVICES:
        code = Code(name, declared["tongxiao.common.v1"] | declared[f"tongxiao.{name}.v1"])
        for file in (file for file in known if file.package == f"tongxiao.{name}.v1"):
            fields = {message.name: {field.name for field in message.field} for message in file.message_type}
            for service in file.service:
                for method in service.method:
                    asked = fields.get(method.input_type.rpartition(".")[2], set())
                    kept = {reason for reason, field in code.constraints if field in asked}
                    full_name = f"{file.package}.{service.name}.{method.name}"
                    found[full_name] = sorted(code.of(method.name) | kept)
    return found


class Code:
    """The modules of one service and of the chassis."""

    def __init__(self, service: str, reasons: Iterable[str]) -> None:
        folders = {service: ROOT / "services" / service / service, "chassis": ROOT / "chassis" / "chassis"}
        self._reasons = frozenset(reasons)
        self._trees = {
            _module(name, folder, path): _bare(ast.parse(path.read_text(encoding="utf-8")))
            for name, folder in folders.items()
            for path in sorted(folder.rglob("*.py"))
            if "testing" not in path.parts
        }
        self._nodes: dict[str, Node] = {}
        for module, tree in self._trees.items():
            self._add(module, tree)

    def of(self, rpc: str) -> set[str]:
        """The reasons that the function serving an RPC leads to."""
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", rpc).lower()
        waiting = [each for each in self._nodes if each.endswith((f".api.{name}", f"_api.{name}"))]
        seen, found = set(waiting), set[str]()
        while waiting:
            node = self._nodes[waiting.pop()]
            found |= node.reasons
            further = {name for name in node.names if name in self._nodes} - seen
            seen |= further
            waiting += further
        return found

    @cached_property
    def constraints(self) -> set[tuple[str, str]]:
        """The reasons that constraints of the database stand for, each with the request's field it is about."""
        parts = (part for tree in self._trees.values() for part in tree.body if isinstance(part, ast.Assign))
        values = [part.value for part in parts if _defined(part) == ["CONSTRAINTS"]]
        tables = [ast.literal_eval(value) for value in values if isinstance(value, ast.Dict)]
        return {(reason, path.split(".")[0]) for table in tables for reason, path in table.values()}

    def _add(self, module: str, tree: ast.Module) -> None:
        known = _imported(tree) | {name: f"{module}.{name}" for part in tree.body for name in _defined(part)}
        for part in tree.body:
            for name in _defined(part):
                node = self._nodes.setdefault(f"{module}.{name}", Node())
                self._read(node, part, known)

    def _read(self, node: Node, part: ast.AST, known: Mapping[str, str]) -> None:
        for found in _said(part):
            if isinstance(found, ast.Constant) and isinstance(found.value, str):
                node.reasons |= self._reasons & set(_WORD.findall(found.value))
            elif isinstance(found, ast.Name) and isinstance(found.ctx, ast.Load) and found.id in known:
                node.names.add(known[found.id])
            elif isinstance(found, ast.Attribute):
                base = known.get(found.value.id) if isinstance(found.value, ast.Name) else None
                node.names |= {f"{base}.{found.attr}"} if base in self._trees else set()
            elif isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute):
                node.names |= set(self._methods.get(found.func.attr, ()))

    @cached_property
    def _methods(self) -> dict[str, list[str]]:
        """Methods that refuse something themselves, by name."""
        found: dict[str, list[str]] = {}
        for module, one, method in self._all_methods():
            node = Node()
            self._read_constants(node, method)
            if node.reasons and method.name not in _EVERYBODYS:
                key = f"{module}.{one}.{method.name}"
                self._nodes[key] = node
                found.setdefault(method.name, []).append(key)
        return found

    def _read_constants(self, node: Node, method: ast.AST) -> None:
        texts = [each.value for each in _said(method) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        node.reasons |= self._reasons & {word for text in texts for word in _WORD.findall(text)}

    def _all_methods(self) -> Iterator[tuple[str, str, ast.FunctionDef]]:
        for module, tree in self._trees.items():
            for one in (part for part in tree.body if isinstance(part, ast.ClassDef)):
                yield from ((module, one.name, part) for part in one.body if isinstance(part, ast.FunctionDef))


class _Bare(ast.NodeTransformer):
    """Takes the types away, and what is compared: neither refuses anything."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        node.comparators = [each for each in node.comparators if not isinstance(each, ast.Constant)]
        return self.generic_visit(node)


def _bare(tree: ast.Module) -> ast.Module:
    found: ast.Module = _Bare().visit(tree)
    return found


def _said(part: ast.AST) -> Iterator[ast.AST]:
    """All that code says here and now."""
    yield part
    inner_parts = ast.iter_child_nodes(part)
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in _LATER:
        inner_parts = iter([keyword for keyword in part.keywords if keyword.arg == _AT_ONCE])
    for inner in inner_parts:
        yield from _said(inner)


def _imported(tree: ast.Module) -> dict[str, str]:
    """What is imported, by its name here; what makes refusals says itself which."""
    froms = [part for part in ast.walk(tree) if isinstance(part, ast.ImportFrom) and part.module]
    known = {name.asname or name.name: f"{part.module}.{name.name}" for part in froms for name in part.names}
    return {name: of for name, of in known.items() if not of.endswith(".refuse")}


def _module(name: str, folder: Path, path: Path) -> str:
    inside = path.relative_to(folder).with_suffix("").parts
    return ".".join((name, *(part for part in inside if part != "__init__")))


def _defined(part: ast.stmt) -> list[str]:
    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [part.name]
    targets = part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
