"""Generate the package `tongxiao` from the schemas and the services' code, and lint; `--check` refuses stale output."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import reasons
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, field_mask_pb2, timestamp_pb2
from grpc_tools import protoc

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
SITE = Path(annotations_pb2.__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the committed output is stale")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        image = generate(fresh)
        for arguments in (["lint", str(image), "--path", "tongxiao"], ["format", "--diff", "--exit-code"]):
            subprocess.run([plugin("buf"), *arguments], check=True, cwd=HERE)
        if check:
            return compare(fresh / "tongxiao", HERE / "tongxiao")
        shutil.rmtree(HERE / "tongxiao", ignore_errors=True)
        shutil.copytree(fresh / "tongxiao", HERE / "tongxiao")
    return 0


def generate(folder: Path) -> Path:
    """Write the Python package and the comments below `folder`; answer the path of the descriptor image."""
    rules, image = folder / "rules.binpb", folder / "image.binpb"
    rules.write_bytes(validation_rules().SerializeToString())
    sources = sorted(str(path.relative_to(SCHEMAS)) for path in SCHEMAS.rglob("*.proto"))
    outputs = ["python", "mypy", "grpc_python", "mypy_grpc"]
    options = ["--mypy_opt=quiet", "--mypy_grpc_opt=quiet"]
    arguments = ["protoc", f"-I{SCHEMAS}", f"-I{SITE}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
    arguments += [f"--descriptor_set_in={rules}", f"--plugin=protoc-gen-mypy={plugin('protoc-gen-mypy')}"]
    arguments += [f"--plugin=protoc-gen-mypy_grpc={plugin('protoc-gen-mypy_grpc')}"]
    arguments += options + [f"--{output}_out={folder}" for output in outputs]
    arguments += ["--include_imports", "--include_source_info", f"--descriptor_set_out={image}"]
    if protoc.main([*arguments, *sources]):
        raise SystemExit("protoc refused the schemas")
    for stub in folder.rglob("*_pb2_grpc.py"):
        if "Stub" not in stub.read_text(encoding="utf-8"):
            stub.unlink()
            stub.with_suffix(".pyi").unlink()
    (folder / "tongxiao" / "py.typed").touch()
    files = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file
    keep(comments_of(files), folder / "tongxiao" / "comments.json")
    keep(reasons.told(files), folder / "tongxiao" / "reasons.json")
    return image


def plugin(name: str) -> Path:
    return Path(sys.executable).parent / name


def validation_rules() -> descriptor_pb2.FileDescriptorSet:
    """The descriptors of protovalidate's rules, which its wheel carries in place of a .proto file."""
    from buf.validate import validate_pb2

    files = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2, validate_pb2):
        descriptor_pool.Default().FindFileByName(module.DESCRIPTOR.name).CopyToProto(files.file.add())
    return files


def keep(found: Mapping[str, object], target: Path) -> None:
    target.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def comments_of(files: Iterable[descriptor_pb2.FileDescriptorProto]) -> dict[str, str]:
    """The schemas' comments, which generated code drops: they become the API's documentation."""
    comments = {}
    for file in files:
        if not file.package.startswith("tongxiao."):
            continue
        for location in file.source_code_info.location:
            name = element(file, list(location.path))
            if name and location.leading_comments.strip():
                comments[name] = " ".join(location.leading_comments.split())
    return comments


STEPS: dict[str, dict[int, str]] = {
    "FileDescriptorProto": {4: "message_type", 5: "enum_type", 6: "service"},
    "DescriptorProto": {2: "field", 3: "nested_type", 4: "enum_type"},
    "EnumDescriptorProto": {2: "value"},
    "ServiceDescriptorProto": {2: "method"},
}


def element(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str | None:
    """The full name of what a source path points at; nothing for syntax, options and the like."""
    node, names = file, [file.package]
    while path:
        step = STEPS.get(type(node).__name__, {}).get(path[0])
        if step is None or len(path) < 2:
            return None
        node, path = getattr(node, step)[path[1]], path[2:]
        names.append(node.name)
    return ".".join(names) if len(names) > 1 else None


def compare(fresh: Path, committed: Path) -> int:
    wanted = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*") if path.is_file()}
    found = {
        path.relative_to(committed): path.read_bytes()
        for path in committed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    stale = sorted(str(name) for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if stale:
        print(f"stale generated files (run `make protos`): {', '.join(stale)}", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
