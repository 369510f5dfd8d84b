"""The rules that CONTRIBUTING states, each held by a check over the tree itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("customers", "identity")
HANDWRITTEN = re.compile(r"^(?!protos/tongxiao/).*\.py$")
SOFT, HARD, CHASSIS = 400, 600, 250
# Who may end a transaction: the pipeline of RPCs, the transaction of everything else.
COMMITTING = {"chassis/chassis/database.py", "chassis/chassis/pipeline.py"}
# Where statements are made: queries, models, the chassis, and what writes many rows at once.
SELECTING = re.compile(
    r"(queries|model|people|snapshots|bootstrap|projections?)\.py$|^chassis/|^tests/|/tests/|^bench/|^deploy/"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
MADE = re.compile(r"^__pycache__$|\.egg-info$")
MACHINE = re.compile(r"(?<![\w}])(/work/|/root/|/home/\w|/opt/\w)")


@cache
def tracked() -> tuple[str, ...]:
    """Every file that belongs to the project: what is installed, kept or made while it runs lies apart."""
    found = (path.relative_to(ROOT) for top in sorted(ROOT.iterdir()) if _is_ours(top) for path in _files(top))
    return tuple(str(path) for path in found if all(_is_ours(part) for part in (path, *path.parents)))


def _files(top: Path) -> Iterable[Path]:
    return [top] if top.is_file() else (path for path in top.rglob("*") if path.is_file())


def _is_ours(path: Path) -> bool:
    return path.name in ("", ".ci", ".gitignore") or (not path.name.startswith(".") and not MADE.search(path.name))


def python() -> tuple[str, ...]:
    return tuple(name for name in tracked() if HANDWRITTEN.match(name))


def source(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_no_file_is_longer_than_a_reader_bears() -> None:
    sizes = {name: source(name).count("\n") for name in python() if "/versions/" not in name}
    assert {name: size for name, size in sizes.items() if size > HARD} == {}
    chassis = {n: size for n, size in sizes.items() if n.startswith("chassis/chassis/") and size > CHASSIS}
    assert chassis == {}


def test_every_module_says_what_it_is() -> None:
    silent = [name for name in python() if source(name).strip() and ast.get_docstring(ast.parse(source(name))) is None]
    assert silent == []


def test_only_the_edge_commits() -> None:
    found = {name for name in python() if ".commit(" in source(name) and "/tests/" not in name and name[:6] != "tests/"}
    assert found <= COMMITTING


def test_selects_stand_in_queries() -> None:
    stray = [
        name
        for name in python()
        if not SELECTING.search(name) and re.search(r"^from sqlalchemy import .*\bselect\b", source(name), re.M)
    ]
    assert stray == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_is_declared(service: str) -> None:
    refuse = import_module(f"{service}.refusals").refuse
    named = {
        (name, reason)
        for name in python()
        if name.startswith(f"services/{service}/{service}/")
        for reason in re.findall(r'(?:refuse(?:\.unknown)?\(|reason=)"([A-Z_]+)"', source(name))
    }
    assert {(name, reason) for name, reason in named if reason not in refuse} == set()


def test_nothing_is_left_unfinished() -> None:
    written = [name for name in tracked() if not name.startswith("protos/tongxiao/")]
    marked = [
        name
        for name in written
        if name.endswith((".py", ".proto", ".md", ".sh")) and name != here() and UNFINISHED.search(source(name))
    ]
    assert marked == []


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    found = [
        name
        for name in tracked()
        if name.endswith((".py", ".md", ".toml", ".yaml", ".json")) and name != here() and MACHINE.search(source(name))
    ]
    assert found == []


def test_generated_code_is_fresh() -> None:
    checked = subprocess.run([sys.executable, ROOT / "protos/generate.py", "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def here() -> str:
    return str(Path(__file__).relative_to(ROOT))


def functions(name: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.FunctionDef):
            yield node


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for name in python()
        if "/tests/" not in name and "/versions/" not in name and not name.startswith("tests/")
        for node in functions(name)
    )
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[int(len(lengths) * 0.95)] <= 50
