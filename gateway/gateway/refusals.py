"""Makes the gateway's own refusals: `raise refuse("UNKNOWN_FIELD", field="creditcode")`. Fields are JSON paths here."""

from chassis.errors import Refusals
from tongxiao.gateway.v1 import reason_pb2

DOMAIN = "gateway.tongxiao"

refuse = Refusals(reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"])
