"""ReassignmentJobsService: message → job → message."""

from collections import Counter
from typing import Any
from uuid import UUID

from chassis import clock, import_jobs, jobs, masks
from chassis.call import Call
from chassis.errors import sentence
from chassis.ids import parse_id
from chassis.jobs import Job
from customers.reassigning import operations, queries
from customers.reassigning.choosing import Row
from tongxiao.customers.v1 import reassignment_job_pb2 as pb

GIVEN = ("customer_ids", "filter", "line_id", "owner_ids", "unit_owners", "unit_id", "note")


def create_reassignment_job(request: pb.CreateReassignmentJobRequest, call: Call) -> pb.ReassignmentJob:
    given = request.reassignment_job
    told = {field.name: value for field, value in given.ListFields() if field.name in GIVEN}
    job = operations.create_reassignment(call, job_id=parse_id(given.id), given=pb.ReassignmentJob(**told))
    return _told(job, call)


def get_reassignment_job(request: pb.GetReassignmentJobRequest, call: Call) -> pb.ReassignmentJob:
    return _told(jobs.get(call, UUID(request.id), operations.KIND), call)


def list_reassignment_jobs(request: pb.ListReassignmentJobsRequest, call: Call) -> pb.ListReassignmentJobsResponse:
    found, token = jobs.listed(call, request, operations.KIND)
    return pb.ListReassignmentJobsResponse(reassignment_jobs=map(_message, found), next_page_token=token)


def start_reassignment_job(request: pb.StartReassignmentJobRequest, call: Call) -> pb.ReassignmentJob:
    job = jobs.waiting(call, UUID(request.id), request.etag, operations.KIND)
    operations.start(call, job)
    return _told(job, call)


def cancel_reassignment_job(request: pb.CancelReassignmentJobRequest, call: Call) -> pb.ReassignmentJob:
    return _told(jobs.cancel(call, UUID(request.id), operations.KIND), call)


def list_reassignment_rows(request: pb.ListReassignmentRowsRequest, call: Call) -> pb.ListReassignmentRowsResponse:
    job = jobs.get(call, UUID(request.reassignment_job_id), operations.KIND)
    found, token = import_jobs.page_of_rows(job, request, call)
    return pb.ListReassignmentRowsResponse(rows=[_row(row) for row in found], next_page_token=token)


def _told(job: Job, call: Call) -> pb.ReassignmentJob:
    message, given, received = _message(job), Counter[str](), Counter[str]()
    for row in () if job.only_tried else queries.figures(call.session, job.id):
        given[row.giver] += row.number
        received[row.receiver] += row.number
    message.owners.extend(
        pb.OwnerFigures(owner_id=owner, given=given[owner], received=received[owner])
        for owner in sorted(given.keys() | received.keys())
    )
    return message


def _message(job: Job) -> pb.ReassignmentJob:
    message = operations.asked(job)
    message.id, message.state, message.reason = str(job.id), jobs.state_of(job), job.reason
    message.text, message.text_en = sentence(job.reason)
    message.preview = job.cursor.get("phase") != "run"
    message.progress.CopyFrom(job.message)
    message.etag = masks.etag(job.version)
    message.create_time.CopyFrom(clock.stamp(job.created_at))
    if job.finished_at:
        message.finish_time.CopyFrom(clock.stamp(job.finished_at))
    return message


def _row(found: Any) -> pb.ReassignmentRow:
    chosen = Row(*found.cells)
    error = found.errors[0] if found.errors else {}
    return pb.ReassignmentRow(
        number=found.number,
        customer_id=chosen.customer_id,
        line_id=chosen.line_id,
        from_owner_id=chosen.from_owner_id,
        to_owner_id=chosen.to_owner_id,
        outcome=found.outcome,
        reason=error.get("reason", ""),
        text=error.get("text", ""),
        text_en=error.get("text_en", ""),
    )
