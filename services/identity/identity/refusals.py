"""The refusals of this service."""

from chassis.errors import Refusals
from tongxiao.identity.v1 import reason_pb2

refuse = Refusals(reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"])
