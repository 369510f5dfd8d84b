"""Bindings as OpenAPI operations."""

from typing import Any

from gateway import catalogue
from gateway.bindings import Binding, json_path, leaf
from gateway.openapi import comments, refusals
from gateway.openapi.schemas import Schemas
from gateway.openapi.texts import both
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1.permission_pb2 import Permission

Json = dict[str, Any]

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = {"$ref": "#/components/parameters/IdempotencyKey"}
_SIGNED_IN, _OPEN = ("需要登录。", "Anybody signed in."), ("无需登录。", "Nobody need be signed in.")
_TAGGED = {"ETag": {"schema": {"type": "string"}, **both(description=("版本。", "The version."))}}
_IF_NONE_MATCH = {"$ref": "#/components/parameters/IfNoneMatch"}


def path(binding: Binding) -> str:
    """The address as OpenAPI writes it: variables by their JSON names."""
    text = binding.template.text
    for variable in binding.template.variables:
        text = text.replace(f"{{{variable}}}", f"{{{_variable(variable)}}}")
    return text


def operation(binding: Binding, schemas: Schemas) -> Json:
    """What the description says of one method of one address."""
    method = binding.rpc.method
    found: Json = {
        "operationId": name_of(binding.rpc),
        "tags": [method.containing_service.name.removesuffix("Service")],
        **both(summary=summary(binding.rpc), description=_rights(binding)),
        "parameters": _parameters(binding, schemas),
        "responses": _responses(binding, schemas),
    }
    if binding.body:
        found["requestBody"] = _body(binding, schemas)
    if binding.rpc.open:
        found["security"] = []
    return found


def summary(rpc: catalogue.Rpc) -> tuple[str, str]:
    """What an RPC does, in Chinese and in English."""
    return rpc.method.GetOptions().Extensions[options_pb2.rpc].zh, comments.of(rpc.method.full_name)


def name_of(rpc: catalogue.Rpc) -> str:
    """`listCustomers`; with the service before it where several have an RPC of that name: `identityListAudit`."""
    name = rpc.method.name
    shared = sum(other.method.name == name for other in catalogue.rpcs()) > 1
    return f"{rpc.service}{name}" if shared else name[0].lower() + name[1:]


def _rights(binding: Binding) -> tuple[str, str]:
    options = binding.rpc.method.GetOptions().Extensions[options_pb2.rpc]
    if not options.permission:
        return _SIGNED_IN if options.signed_in else _OPEN
    name = Permission.Name(options.permission)
    resource, action = name.removeprefix("PERMISSION_").lower().rsplit("_", 1)
    return f"需要权限 `{resource}.{action}`。", f"Needs the permission `{resource}.{action}`."


def _variable(variable: str) -> str:
    """`id` for `customer.id`: what a variable is called within an address."""
    *_, last = variable.split(".")
    head, *rest = last.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _parameters(binding: Binding, schemas: Schemas) -> list[Json]:
    request = binding.rpc.method.input_type
    found = [_in_path(binding, variable, schemas) for variable in binding.template.variables]
    for name, field in binding.query.items():
        schema = schemas.field(field)
        entry = {"name": json_path(request, name), "in": "query", "description": schema.pop("description", "")}
        found.append({**entry, "required": _is_demanded(schema, name), "schema": schema})
    if binding.etag:
        kind = "IfMatch" if binding.body else "IfMatchRequired"
        found.append({"$ref": f"#/components/parameters/{kind}"})
    if not binding.rpc.reads:
        found.append(_KEY)
    elif "etag" in binding.rpc.method.output_type.fields_by_name:
        found.append(_IF_NONE_MATCH)
    return found


def _in_path(binding: Binding, variable: str, schemas: Schemas) -> Json:
    """An id in an address is never empty, whatever it may be in a body."""
    field = leaf(binding.rpc.method.input_type, variable)
    schema = {**schemas.field(field)}
    description = schema.pop("description", "")
    schema = schema["anyOf"][1] if "anyOf" in schema else schema
    return {"name": _variable(variable), "in": "path", "required": True, "description": description, "schema": schema}


def _is_demanded(schema: Json, name: str) -> bool:
    """A query must carry what may not be empty; what a filter holds is only looked at if it is given."""
    return "." not in name and bool(schema.get("minLength"))


def _body(binding: Binding, schemas: Schemas) -> Json:
    body_type = binding.body_type
    assert body_type is not None
    if binding.body == "*":
        schema = schemas.action(body_type, {*binding.template.variables})
    else:
        schema = schemas.update(body_type) if binding.verb == "PATCH" else schemas.message(body_type)
    required = binding.body != "*" or "required" in schema
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _responses(binding: Binding, schemas: Schemas) -> Json:
    found: Json = {_status(binding): _success(binding, schemas)}
    if _IF_NONE_MATCH in _parameters(binding, schemas):
        found["304"] = {
            **both(description=("客户端已有此版本。", "The client holds this version.")),
            "headers": _TAGGED,
        }
    found |= problems(refusals.of(binding))
    found["default"] = {"$ref": "#/components/responses/Problem"}
    return found


def problems(reasons: refusals.Reasons) -> Json:
    """A response for each status, which names its reasons."""
    named = {code: ", ".join(f"`{reason}`" for reason in found) for code, found in reasons.items()}
    return {
        code: {**both(description=(f"拒绝原因：{text}", f"Refused for: {text}")), "content": PROBLEM}
        for code, text in named.items()
    }


def _status(binding: Binding) -> str:
    return "204" if binding.empty else "201" if binding.creates else "200"


def _success(binding: Binding, schemas: Schemas) -> Json:
    if binding.empty:
        return both(description=("完成。", "Done."))
    output = binding.rpc.method.output_type
    headers = {**_TAGGED} if "etag" in output.fields_by_name else {}
    if binding.creates:
        headers["Location"] = {"schema": {"type": "string"}, **both(description=("地址。", "Where it is."))}
    found: Json = {
        "description": comments.of(output.full_name) or "OK",
        "content": {"application/json": {"schema": schemas.message(output)}},
    }
    return {**found, "headers": headers} if headers else found
