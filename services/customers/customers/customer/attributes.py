"""The fields of a customer's message as the attributes of its model."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict

from chassis.ids import parse_id
from tongxiao.customers.v1 import customer_pb2 as pb

# Field of the message to attribute of the model; what stands here may be changed.
ATTRIBUTES = {
    **{name: name for name in ("name", "short_name", "name_en", "credit_code", "industry", "size", "tier", "source")},
    **{name: name for name in ("division_code", "address", "website", "phones", "tags", "parent_id", "note")},
    "custom_fields": "custom_fields",
    "next_contact_date": "next_contact_on",
}


def attributes(given: pb.Customer, names: Iterable[str]) -> dict[str, Any]:
    """The values of fields, in the types the model keeps."""
    found: dict[str, Any] = {ATTRIBUTES[name]: getattr(given, name) for name in names}
    if "credit_code" in found:
        found["credit_code"] = found["credit_code"].upper()
    for name in {"phones", "tags"} & found.keys():
        found[name] = list(found[name])
    if "parent_id" in found:
        found["parent_id"] = parse_id(found["parent_id"])
    if "custom_fields" in found:
        found["custom_fields"] = MessageToDict(given.custom_fields)
    return found
