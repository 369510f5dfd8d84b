"""Files: uploaded for imports, fetched when long work has made them. Each is its owner's alone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import ClientDisconnect

from chassis import files
from chassis.errors import refuse as refuse_common
from gateway import answers, languages, queries, templates
from gateway.answers import Answer
from gateway.endpoints import Target
from gateway.openapi.texts import both
from gateway.refusals import refuse
from gateway.templates import Tree
from gateway.visits import Visit

# Of what is made here: what somebody uploaded may be anything, in any encoding.
_MEDIA_TYPES = {
    ".csv": b"text/csv; charset=utf-8",
    ".xlsx": b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What a header may say of a name as it is.
_PLAIN = re.compile(r"[A-Za-z0-9 ()._-]+")


class Upload:
    """POST /v1/files: the body is the file, its name a parameter."""

    open = False
    template = templates.parse("/v1/files")

    async def answer(self, visit: Visit, values: list[str]) -> Answer:  # noqa: ARG002
        given = queries.parse(visit.request.scope["query_string"])
        unknown = given.keys() - {"name"}
        if unknown:
            raise refuse("UNKNOWN_FIELD", field=min(unknown))
        length = visit.request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > files.LARGEST:
            raise refuse_common("FILE_TOO_LARGE", limit=files.LARGEST)
        assert visit.session
        key = files.new_key(visit.session.person_id)
        name = given.get("name", [""])[0][:255]
        size = await files.receive(key, _parts(visit), name=name)
        found = {"key": key, "name": name, "size": size}
        return Answer(201, orjson.dumps(found), [answers.NEVER_STORE, (b"location", f"/v1/files/{key}".encode())])


class Download:
    """GET /v1/files/{key}."""

    open = False
    template = templates.parse("/v1/files/{key}")

    async def answer(self, visit: Visit, values: list[str]) -> Answer:
        key = values[0]
        assert visit.session
        if not files.is_of(key, visit.session.person_id):
            raise refuse_common("NOT_FOUND")
        try:
            stream = await files.send(key)
        except Exception as error:
            if getattr(error, "reason", "") == "FILE_UNKNOWN":
                raise refuse_common("NOT_FOUND") from error
            raise
        name, name_en = await files.names_of(key)
        told = (name_en if visit.language == languages.EN else name) or f"tongxiao{Path(key).suffix}"
        media_type = _MEDIA_TYPES.get(Path(key).suffix, b"application/octet-stream")
        headers = [answers.NEVER_STORE, (b"content-disposition", disposition(told))]
        return Answer(200, headers=headers, media_type=media_type, stream=stream)


def disposition(name: str) -> bytes:
    """What has a browser save a file under a name in whatever script (RFC 6266); one that cannot, under a plain one."""
    suffix = Path(name).suffix
    plain = name if _PLAIN.fullmatch(name) else f"tongxiao{suffix if _PLAIN.fullmatch(suffix) else ''}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}".encode()


def add(tree: Tree[Target]) -> None:
    """Serve both."""
    upload, download = Upload(), Download()
    tree.add(upload.template, "POST", upload)
    tree.add(download.template, "GET", download)


async def _parts(visit: Visit) -> AsyncIterator[bytes]:
    try:
        async for part in visit.request.stream():
            yield part
    except ClientDisconnect as error:
        raise refuse("MALFORMED_JSON") from error


def described() -> dict[str, Any]:
    """Both as the description has them."""
    problem = {"$ref": "#/components/responses/Problem"}
    text = {"type": "string"}
    stored = {"type": "object", "properties": {"key": text, "name": text, "size": {"type": "integer"}}}
    anything = {"schema": {"type": "string", "format": "binary"}}
    shared = {"tags": ["Files"]}
    return {
        "/v1/files": {
            "post": {
                **shared,
                "operationId": "uploadFile",
                **both(
                    summary=("上传文件，供导入使用，至多 64 MiB。", "Uploads a file for an import, 64 MiB at most.")
                ),
                "parameters": [{"name": "name", "in": "query", "required": False, "schema": {"type": "string"}}],
                "requestBody": {"required": True, "content": {"application/octet-stream": anything}},
                "responses": {
                    "201": {
                        **both(description=("已保存。", "Kept.")),
                        "content": {"application/json": {"schema": stored}},
                    },
                    **dict.fromkeys(("400", "401", "413", "429", "503"), problem),
                    "default": problem,
                },
            }
        },
        "/v1/files/{key}": {
            "get": {
                **shared,
                "operationId": "fetchFile",
                **both(summary=("下载自己的文件。", "Fetches a file of one's own.")),
                "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        **both(description=("文件。", "The file.")),
                        "content": {"application/octet-stream": anything},
                    },
                    **dict.fromkeys(("400", "401", "404", "429", "503"), problem),
                    "default": problem,
                },
            }
        },
    }
