"""The RPCs by hand on bare grpcio and SQLAlchemy Core: `python -m bench.bare DATABASE_URL` prints its port and serves.

It ends when its input does.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import func, select

from chassis import schema
from chassis.arrays import uuids
from chassis.database import connect
from chassis.tree import Tree
from customers.customer.model import Assignment, Customer
from tongxiao.customers.v1 import customer_pb2 as pb

PAGE = 50


@contextmanager
def bare(url: str) -> Iterator[int]:
    """Core statements with the same predicate into the same messages: no passport, rules, validation or telemetry."""
    engine = connect(url, name="bare", pool_size=8).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        rows = connection.execute(select(schema.org_units.c.id, schema.org_units.c.parent_id))
        tree = Tree(1, {row.id: row.parent_id for row in rows})

    def get(request: pb.GetCustomerRequest, context: grpc.ServicerContext) -> pb.Customer:
        with engine.connect() as connection:
            found = connection.execute(_customers([UUID(request.id)], *_who(context))).all()
        return _message(found)

    def list_(_request: pb.ListCustomersRequest, context: grpc.ServicerContext) -> pb.ListCustomersResponse:
        person, unit = _who(context)
        with engine.connect() as connection:
            ids = connection.scalars(_page(person, sorted(tree.below([unit])))).all()
            rows = connection.execute(_customers(list(ids), person, unit)).all()
        by_id: dict[UUID, list[Any]] = {}
        for row in rows:
            by_id.setdefault(row.id, []).append(row)
        return pb.ListCustomersResponse(customers=[_message(by_id[key]) for key in ids if key in by_id])

    handlers: dict[str, Any] = {
        "GetCustomer": grpc.unary_unary_rpc_method_handler(
            get, pb.GetCustomerRequest.FromString, pb.Customer.SerializeToString
        ),
        "ListCustomers": grpc.unary_unary_rpc_method_handler(
            list_, pb.ListCustomersRequest.FromString, pb.ListCustomersResponse.SerializeToString
        ),
    }
    running = grpc.server(ThreadPoolExecutor(8))
    name = "tongxiao.customers.v1.CustomersService"
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield port
    running.stop(1).wait()


def _who(context: grpc.ServicerContext) -> tuple[UUID, UUID]:
    given = dict(context.invocation_metadata())
    return UUID(str(given["person"])), UUID(str(given["unit"]))


def _page(person: UUID, units: list[UUID]) -> Any:
    table = Assignment.__table__.c
    mine = select(table.customer_id, table.created_at).where(
        table.owner_id == person, table.unit_id == func.any(uuids(units)), table.deleted_at.is_(None)
    )
    return mine.order_by(table.created_at.desc(), table.customer_id.desc()).limit(PAGE + 1)


def _customers(ids: list[UUID], person: UUID, unit: UUID) -> Any:
    """The rows of customers with their assignments, as far as they are the person's under the unit or shared."""
    customer, assignment = Customer.__table__, Assignment.__table__
    own, closure, access = Assignment.__table__.alias(), schema.org_closure, schema.access
    within = select(1).where(closure.c.descendant_id == own.c.unit_id, closure.c.ancestor_id == unit).exists()
    mine = select(1).where(own.c.customer_id == customer.c.id, own.c.owner_id == person, within).exists()
    shared = select(1).where(
        access.c.person_id == person, access.c.entity == "customer", access.c.entity_id == customer.c.id
    )
    columns = [column for column in customer.c if column.name not in ("search", "search_text")]
    told = [assignment.c.line_id, assignment.c.owner_id, assignment.c.unit_id, assignment.c.since]
    joined = customer.join(assignment, assignment.c.customer_id == customer.c.id)
    wanted = select(*columns, *told).select_from(joined).where(customer.c.id == func.any(uuids(ids)))
    return wanted.where(mine | shared.exists())


def _message(rows: Any) -> pb.Customer:
    row = rows[0]
    message = pb.Customer(
        id=str(row.id),
        name=row.name,
        short_name=row.short_name,
        name_en=row.name_en,
        credit_code=row.credit_code,
        industry=row.industry,
        size=row.size,
        tier=row.tier,
        source=row.source,
        division_code=row.division_code,
        address=row.address,
        website=row.website,
        phones=row.phones,
        tags=row.tags,
        note=row.note,
        etag=str(row.version),
        assignments=[
            pb.Assignment(line_id=str(one.line_id), owner_id=str(one.owner_id), unit_id=str(one.unit_id))
            for one in rows
        ],
    )
    message.create_time.FromDatetime(row.created_at)
    message.update_time.FromDatetime(row.updated_at)
    message.last_contact_time.FromDatetime(row.last_contact_at)
    for made, one in zip(message.assignments, rows, strict=True):
        made.since_time.FromDatetime(one.since)
    return message


if __name__ == "__main__":
    with bare(sys.argv[1]) as port:
        print(port, flush=True)
        sys.stdin.read()
