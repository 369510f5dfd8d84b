"""The whole description: generated operations, aggregates, sign-in, and what they share."""

from functools import cache
from typing import Any

import orjson

from gateway import aggregates, catalogue, endpoints, languages, problems, uploads
from gateway.openapi import comments, operations
from gateway.openapi.schemas import Schemas
from gateway.openapi.texts import both, in_language

Json = dict[str, Any]

_ABOUT = (
    """\
通销的接口。点 **Authorize** 用公司账号登录后即可逐个试用。

- 错误：RFC 9457；`reason` 不变，`title` 按 `Accept-Language`（zh-CN 或 en）。
- 并发：`ETag` / `If-Match`。幂等：`Idempotency-Key`，保留 30 天。
- 标量、枚举、列表总会出现；时间等未设置时省略。
- PATCH：`updateMask`，否则为正文的叶子字段；`null` 清空；只由系统给出的字段可随正文带回，不起作用。
""",
    """\
The API of Tongxiao. Sign in by **Authorize**, and try any of it.

- Problems: RFC 9457; `reason` stays, `title` is to be read, by `Accept-Language` (zh-CN or en).
- Concurrency: `ETag` / `If-Match`. Idempotency: `Idempotency-Key`, kept for 30 days.
- Scalars, enums and lists are always there; times only when set.
- PATCH: by `updateMask`, else the body's leaves; `null` clears. What only the system sets may come back, unheeded.
""",
)
_STRING = {"type": "string"}


def _reasons() -> tuple[str, str]:
    """Every reason with its text, once; the operations name theirs."""
    found = sorted({reason: options for (_, reason), options in problems.titles().items()}.items())
    zh, en = ("\n".join(f"- `{reason}`: {getattr(told, name)}" for reason, told in found) for name in ("zh", "en"))
    return f"不变的原因代码。\n\n{zh}", f"A code that stays.\n\n{en}"


_KEY = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "reason", "traceId"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "instance": _STRING,
        "reason": {"type": "string", **both(description=_reasons())},
        "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": _STRING, "detail": _STRING},
            },
        },
        "metadata": {"type": "object", "additionalProperties": _STRING},
    },
}


def _header(name: str, schema: Json, zh: str, en: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "schema": schema, **both(description=(zh, en))}


_TAG = {"type": "string", "pattern": '^(\\*|"[\\x21\\x23-\\x7e]{0,64}")$', "examples": ['"1"']}
_PARAMETERS: Json = {
    "IdempotencyKey": _header(
        "Idempotency-Key", _KEY, "重复请求只执行一次。", "A repeated request is carried out once."
    ),
    "IfMatch": _header(
        "If-Match", _TAG, "所依据的版本；也可写在正文 `etag`。", "The version seen; or `etag` in the body."
    ),
    "IfMatchRequired": _header("If-Match", _TAG, "所依据的版本。", "The version seen.", required=True),
    "IfNoneMatch": _header("If-None-Match", _STRING, "已有的版本。", "The version held."),
}
_SECURITY: Json = {
    "signIn": {
        "type": "oauth2",
        **both(description=("公司账号，授权码 + PKCE。", "The company's accounts, code with PKCE.")),
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "/v1/oauth/authorize",
                "tokenUrl": "/v1/oauth/token",
                "refreshUrl": "/v1/oauth/token",
                "scopes": {},
            }
        },
    },
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}
_RESPONSES: Json = {
    "Problem": {
        **both(description=("被拒绝。", "Refused.")),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


@cache
def document(language: str = languages.EN) -> Json:
    """The description, in a language, of everything this gateway serves below /v1."""
    told: Json = in_language(_whole(), language)
    return told


@cache
def encoded(language: str) -> bytes:
    return orjson.dumps(document(language))


@cache
def _whole() -> Json:
    schemas = Schemas()
    schemas.components["Problem"] = _PROBLEM
    paths: dict[str, Json] = {}
    for binding in endpoints.served():
        entry = paths.setdefault(operations.path(binding), {})
        entry[binding.verb.lower()] = operations.operation(binding, schemas)
    for aggregate in aggregates.AGGREGATES:
        paths[aggregate.address] = {"get": _aggregate(aggregate, schemas)}
    paths.update(uploads.described())
    paths.update(_HANDWRITTEN)
    return {
        "openapi": "3.1.0",
        "info": {"title": "通销 Tongxiao", "version": "1", **both(description=_ABOUT)},
        "servers": [{"url": "/"}],
        "security": [{"signIn": []}, {"token": []}],
        "tags": _tags(),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "parameters": _PARAMETERS,
            "responses": _RESPONSES,
            "securitySchemes": _SECURITY,
        },
    }


def _tags() -> list[Json]:
    services = {rpc.method.containing_service.name: rpc.method.containing_service for rpc in catalogue.rpcs()}
    found = [
        {"name": name.removesuffix("Service"), "description": comments.of(service.full_name)}
        for name, service in services.items()
    ]
    return [*found, {"name": "Screens", **both(description=("一屏一次调用。", "One call a screen."))}]


def _aggregate(aggregate: aggregates.Aggregate, schemas: Schemas) -> Json:
    """All of the main reply, the parts beside it, and the names of those that could not be had."""
    parts = {part.name: schemas.message(catalogue.find(part.rpc).method.output_type) for part in aggregate.parts}
    unavailable = both(description=("暂不可用的部分。", "Parts that cannot be had now."))
    missing = {"type": "array", "items": _STRING, **unavailable}
    schema = {"type": "object", "properties": {**parts, "unavailable": missing}, "required": ["unavailable"]}
    codes = ("400", "401", "403", "404", "429", "503") if aggregate.main else ("400", "401", "403", "429", "503")
    found: Json = {
        "operationId": aggregate.name,
        "tags": ["Screens"],
        **both(summary=aggregate.summary),
        "parameters": [],
    }
    if aggregate.main:
        main = catalogue.find(aggregate.main.rpc).method
        schemas.message(main.output_type)
        schema["properties"] = {
            **schemas.components[main.output_type.name]["properties"],
            **parts,
            "unavailable": missing,
        }
        found["operationId"] = main.name[0].lower() + main.name[1:]
        found["tags"] = [main.containing_service.name.removesuffix("Service")]
        found |= both(summary=operations.summary(catalogue.find(aggregate.main.rpc)))
        id_ = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        found["parameters"] = [id_]
    refusals = {code: {"$ref": "#/components/responses/Problem"} for code in (*codes, "default")}
    return found | {
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}, **refusals}
    }


def _by_hand(summary: tuple[str, str], answer: str, text: tuple[str, str]) -> Json:
    responses = {answer: both(description=text), "default": {"$ref": "#/components/responses/Problem"}}
    return {**both(summary=summary), "tags": ["SignIn"], "security": [], "responses": responses}


def _trading() -> Json:
    """What the realm answers is passed on as it is: tokens, or an error as OAuth words it."""
    found = _by_hand(("换取令牌。", "Trades a code for tokens."), "200", _TOKENS)
    said = {"content": {"application/json": {"schema": {"type": "object"}}}}
    refused = {**both(description=("登录服务拒绝（RFC 6749 §5.2）。", "The realm refused (RFC 6749 §5.2).")), **said}
    answers = {"200": {**both(description=_TOKENS), **said}, "400": refused, "401": refused}
    return {**found, "responses": {**found["responses"], **answers}}


_TOKENS = ("令牌。", "The tokens.")
_FORM = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}, "required": True}
_HANDWRITTEN: Json = {
    "/v1/oauth/authorize": {
        "get": _by_hand(
            ("前往登录页；查询参数照转。", "Goes to the sign-in page; the query is passed on."),
            "302",
            ("登录页。", "The page."),
        )
    },
    "/v1/oauth/token": {"post": {**_trading(), "requestBody": _FORM}},
    "/v1/oauth/logout": {
        "get": _by_hand(
            ("退出登录；查询参数照转。", "Ends the session; the query is passed on."), "302", ("退出页。", "The page.")
        )
    },
    "/v1/openapi.json": {
        "get": _by_hand(
            (
                "本说明，按 `Accept-Language` 用中文或英文。",
                "This description, in Chinese or in English by `Accept-Language`.",
            ),
            "200",
            ("OpenAPI 3.1", "OpenAPI 3.1"),
        )
    },
}
