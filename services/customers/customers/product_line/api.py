"""ProductLinesService: message → arguments → operation → message."""

from uuid import UUID

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.product_line import operations, queries
from customers.product_line.model import ProductLine
from tongxiao.customers.v1 import product_line_pb2 as pb

CHANGEABLE = ("code", "name", "name_en", "retired")


@one_statement
def list_product_lines(request: pb.ListProductLinesRequest, call: Call) -> pb.ListProductLinesResponse:
    found, token = queries.list_lines(call, request)
    return pb.ListProductLinesResponse(product_lines=[to_message(line) for line in found], next_page_token=token)


@one_statement
def get_product_line(request: pb.GetProductLineRequest, call: Call) -> pb.ProductLine:
    return to_message(queries.get_line(call.session, UUID(request.id)))


def create_product_line(request: pb.CreateProductLineRequest, call: Call) -> pb.ProductLine:
    given = request.product_line
    values = {name: getattr(given, name) for name in CHANGEABLE}
    return to_message(operations.create_product_line(call, line_id=parse_id(given.id), given=values))


def update_product_line(request: pb.UpdateProductLineRequest, call: Call) -> pb.ProductLine:
    given = request.product_line
    names = masks.changed_fields(call, given, request.update_mask, allowed=CHANGEABLE)
    changes = {name: getattr(given, name) for name in names}
    return to_message(operations.update_product_line(call, line_id=UUID(given.id), etag=given.etag, changes=changes))


def to_message(line: ProductLine) -> pb.ProductLine:
    return pb.ProductLine(
        id=str(line.id),
        code=line.code,
        name=line.name,
        name_en=line.name_en,
        retired=line.retired,
        etag=masks.etag(line.version),
        create_time=clock.stamp(line.created_at),
        update_time=clock.stamp(line.updated_at),
    )
