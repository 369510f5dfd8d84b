"""What the gateway asks of a field's declaration."""

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

OUTPUT_ONLY = field_behavior_pb2.OUTPUT_ONLY
MESSAGE, ENUM, STRING = FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_ENUM, FieldDescriptor.TYPE_STRING
BOOL, BYTES = FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_BYTES
REALS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
SIGNED = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32)
UNSIGNED = (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32)
TIMESTAMP, STRUCT = "google.protobuf.Timestamp", "google.protobuf.Struct"
MASK = "google.protobuf.FieldMask"


def is_output_only(field: FieldDescriptor) -> bool:
    return OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]


def message_of(field: FieldDescriptor) -> Descriptor:
    assert field.message_type is not None, f"{field.full_name} is no message"
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    assert field.enum_type is not None, f"{field.full_name} is no enum"
    return field.enum_type


def is_map(field: FieldDescriptor) -> bool:
    return field.type == MESSAGE and bool(message_of(field).GetOptions().map_entry)


def well_known(field: FieldDescriptor) -> str:
    """The full name of a google.protobuf message; nothing for a message of our own or a scalar."""
    name = message_of(field).full_name if field.type == MESSAGE else ""
    return name if name.startswith("google.protobuf.") else ""


def demand_served(field: FieldDescriptor) -> None:
    """TypeError for what JSON would not carry unharmed: 64-bit integers."""
    scalars = (MESSAGE, ENUM, STRING, BOOL, BYTES, *REALS, *SIGNED, *UNSIGNED)
    if field.type not in scalars:
        raise TypeError(f"{field.full_name} is of a type that this API does not use")


def by_json_name(message: Descriptor) -> dict[str, FieldDescriptor]:
    return {field.json_name: field for field in message.fields}
