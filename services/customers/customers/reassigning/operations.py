"""What a reassignment does: it chooses rows, tries each without changing anything, waits, and then reassigns them.

Each row is judged by the very checks of a single reassignment, in the preview and again when it is done.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict, ParseDict

from chassis import guard, import_rows, imports, jobs
from chassis.call import Call
from chassis.errors import DomainError
from chassis.ids import parse_id
from chassis.import_rows import UNCHANGED, UPDATED, Result
from chassis.jobs import Job
from customers.customer import operations as customers
from customers.customer import queries as customer_queries
from customers.customer.model import Assignment, AssignmentPeriod, Customer
from customers.customer.operations import Move, Placing
from customers.reassigning import choosing, queries
from customers.reassigning.choosing import Row
from customers.refusals import refuse
from tongxiao.customers.v1 import reassignment_job_pb2 as pb

KIND = "reassignment"
Place = Callable[[str, str], Placing]


def create_reassignment(call: Call, *, job_id: UUID | None, given: pb.ReassignmentJob) -> Job:
    """Begin a reassignment; the same again answers it as it is.

    Refuses CHOICE_UNCLEAR, RULE_UNCLEAR, ID_TAKEN, ALREADY_EXISTS and what its filter is refused for.
    """
    if bool(given.customer_ids) == given.HasField("filter"):
        raise refuse("CHOICE_UNCLEAR", field=("reassignment_job.customer_ids", "reassignment_job.filter"))
    units = {each.unit_id for each in given.unit_owners}
    if bool(given.owner_ids) == bool(units) or len(units) < len(given.unit_owners):
        raise refuse("RULE_UNCLEAR", field=("reassignment_job.owner_ids", "reassignment_job.unit_owners"))
    customer_queries.narrowing_of(call, given.filter)
    return jobs.create(call, kind=KIND, job_id=job_id, arguments=MessageToDict(given))


def asked(job: Job) -> pb.ReassignmentJob:
    """What a reassignment was asked to do."""
    return ParseDict(job.arguments, pb.ReassignmentJob(), ignore_unknown_fields=True)


def start(call: Call, job: Job) -> None:
    """Have what was previewed be done."""
    imports.begin(job, "run")
    jobs.go_on(call, job)


def step(call: Call, job: Job) -> None:
    """The next part of a reassignment."""
    {"choose": _choose, "preview": _try, "run": _run}[job.cursor.get("phase", "choose")](call, job)


def _choose(call: Call, job: Job) -> None:
    if not job.cursor:
        job.cursor = {"phase": "choose", "customers": 0, "rows": 0}
    found, number = choosing.following(call, job, asked(job)), job.cursor["rows"]
    if found:
        import_rows.stage(call.session, job.id, [(n, row.cells) for n, row in enumerate(found, number + 1)])
    job.cursor["rows"] += len(found)
    job.count(total=len(found))
    if not job.cursor["more"]:
        imports.begin(job, "preview")


def _try(call: Call, job: Job) -> None:
    found, results, _ = _judged(call, job, lock=False)
    import_rows.keep(call.session, job, found, results)
    if len(found) < jobs.STEP:
        job.end(jobs.WAITING)


def _run(call: Call, job: Job) -> None:
    found, results, moves = _judged(call, job, lock=True)
    if moves:
        guard.changeable(call.session, Customer, [customer.id for customer, _, _ in moves])
        periods = customer_queries.open_periods(call.session, [assignment for _, assignment, _ in moves])
        guard.changeable(call.session, AssignmentPeriod, [period.id for period in periods])
        customers.hand_on(call, moves, note=asked(job).note)
    import_rows.keep(call.session, job, found, results)
    if len(found) < jobs.STEP:
        job.end(jobs.DONE)


def _judged(call: Call, job: Job, *, lock: bool) -> tuple[Sequence[Any], list[Result], list[Move]]:
    """The rows of the next step, what becomes of each, and what there is to do."""
    found = import_rows.following(call.session, job)
    rows, unit_id = [Row(*each.cells) for each in found], parse_id(asked(job).unit_id)
    reached = queries.customers_of(call.session, {UUID(row.customer_id) for row in rows}, lock=lock)
    held = [assignment.id for customer in reached.values() for assignment in customer.assignments]
    allowed = guard.changeable(call.session, Assignment, held)

    @cache
    def place(line_id: str, owner_id: str) -> Placing:
        return customers.destination(call, line_id=UUID(line_id), owner_id=UUID(owner_id), unit_id=unit_id)

    judged = [_judge(row, reached, allowed, place) for row in rows]
    return (
        found,
        [each if isinstance(each, Result) else _reassigned(each) for each in judged],
        [each for each in judged if not isinstance(each, Result)],
    )


def _judge(row: Row, reached: Mapping[UUID, Customer], allowed: set[UUID], place: Place) -> Move | Result:
    """What a row asks for, or what becomes of it where there is nothing to do."""
    customer = reached.get(UUID(row.customer_id))
    try:
        assignment = _line_of(customer, row, allowed)
        if not row.to_owner_id:
            raise refuse("OWNER_UNNAMED", field="unit_owners")
        placing = place(row.line_id, row.to_owner_id)
        if (assignment.owner_id, assignment.unit_id) == (placing.owner_id, placing.unit_id):
            return Result(UNCHANGED, resource_id=assignment.customer_id)
        if str(assignment.owner_id) != row.from_owner_id:
            raise refuse("OWNER_CHANGED", field="customer_ids")
    except DomainError as error:
        return imports.refused(error)
    assert customer is not None
    return customer, assignment, placing


def _line_of(customer: Customer | None, row: Row, allowed: set[UUID]) -> Assignment:
    """The line that a row is about; refuses NOT_FOUND, LINE_UNKNOWN and OUT_OF_REACH."""
    if customer is None:
        raise refuse("NOT_FOUND", field="customer_ids")
    found = next((each for each in customer.assignments if str(each.line_id) == row.line_id), None)
    if found is None:
        raise refuse("LINE_UNKNOWN", field="line_id")
    if found.id not in allowed:
        raise refuse("OUT_OF_REACH", field="customer_ids")
    return found


def _reassigned(move: Move) -> Result:
    return Result(UPDATED, resource_id=move[0].id)
