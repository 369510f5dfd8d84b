"""What customers publishes of product lines."""

from chassis import outbox
from chassis.envelope import Envelope
from customers.product_line.model import ProductLine
from tongxiao.customers.events.v1 import events_pb2 as pb

CHANGED = "product_line.changed.v1"


def product_line_changed(line: ProductLine) -> Envelope:
    data = pb.ProductLineChanged(
        id=str(line.id), code=line.code, name=line.name, name_en=line.name_en, retired=line.retired
    )
    return outbox.state("customers", CHANGED, data, subject=line.id, version=line.version)
