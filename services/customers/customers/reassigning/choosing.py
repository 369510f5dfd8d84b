"""Which lines of which customers a reassignment takes, and who is to get each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.call import Call
from chassis.ids import parse_id
from chassis.jobs import Job
from customers.customer import queries as customers
from customers.customer.model import Assignment, Customer
from customers.reassigning import queries
from customers.refusals import refuse
from tongxiao.common.v1.permission_pb2 import PERMISSION_CUSTOMER_REASSIGN
from tongxiao.customers.v1 import customer_pb2
from tongxiao.customers.v1 import reassignment_job_pb2 as pb

# Customers of one step, and of one reassignment.
PAGE, MOST = 100, 10_000


@dataclass(frozen=True)
class Row:
    """One line of one customer: who owned it when it was chosen, and who is to get it. Empty where there is none."""

    customer_id: str
    line_id: str = ""
    from_owner_id: str = ""
    to_owner_id: str = ""

    @property
    def cells(self) -> list[str]:
        return [self.customer_id, self.line_id, self.from_owner_id, self.to_owner_id]


def following(call: Call, job: Job, asked: pb.ReassignmentJob) -> list[Row]:
    """The rows of the next customers; the job's cursor then says where to go on, and whether there are more."""
    at = job.cursor["customers"]
    ids = _named(job, asked) if asked.customer_ids else _found(call, job, asked)
    job.cursor["customers"] = at + len(ids)
    if job.cursor["customers"] > MOST:
        raise refuse("TOO_MANY_CUSTOMERS", field="filter")
    reached = queries.customers_of(call.session, ids)
    return [row for turn, id_ in enumerate(ids, at) for row in _rows(call, asked, id_, reached.get(id_), turn)]


def _named(job: Job, asked: pb.ReassignmentJob) -> Sequence[UUID]:
    at = job.cursor["customers"]
    job.cursor["more"] = at + PAGE < len(asked.customer_ids)
    return [UUID(id_) for id_ in asked.customer_ids[at : at + PAGE]]


def _found(call: Call, job: Job, asked: pb.ReassignmentJob) -> Sequence[UUID]:
    request = customer_pb2.ListCustomersRequest(
        filter=asked.filter, page_size=PAGE, page_token=job.cursor.get("token", "")
    )
    with call.reading_as(PERMISSION_CUSTOMER_REASSIGN):
        page = customers.page_of(call, request)
    job.cursor |= {"token": page.next_token, "more": bool(page.next_token)}
    return page.ids


def _rows(
    call: Call, asked: pb.ReassignmentJob, customer_id: UUID, customer: Customer | None, turn: int
) -> Iterator[Row]:
    chosen = [each for each in customer.assignments if _is_chosen(call, asked, each)] if customer else []
    for each in chosen:
        to = _new_owner(call, asked, each, turn)
        yield Row(str(customer_id), str(each.line_id), str(each.owner_id), to)
    if not chosen:
        yield Row(str(customer_id), asked.line_id)


def _is_chosen(call: Call, asked: pb.ReassignmentJob, assignment: Assignment) -> bool:
    """Whether a line of a chosen customer is meant: the one asked for, and of a filter's owner, unit and line."""
    lines = {parse_id(asked.line_id), parse_id(asked.filter.line_id)} - {None}
    owner_id, unit_id = parse_id(asked.filter.owner_id), parse_id(asked.filter.unit_id)
    within = unit_id is None or call.trees.current().under(assignment.unit_id, frozenset({unit_id}))
    return lines <= {assignment.line_id} and owner_id in (None, assignment.owner_id) and within


def _new_owner(call: Call, asked: pb.ReassignmentJob, assignment: Assignment, turn: int) -> str:
    """Who gets a line: whose turn it is, or who is named for its unit or the nearest above."""
    if asked.owner_ids:
        return asked.owner_ids[turn % len(asked.owner_ids)]
    named = {UUID(each.unit_id): each.owner_id for each in asked.unit_owners}
    parents, at = call.trees.current().parents, assignment.unit_id
    while at is not None and at not in named:
        at = parents.get(at)  # type: ignore[assignment]
    return named[at] if at else ""
