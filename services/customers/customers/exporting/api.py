"""ExportJobsService: message → job → message."""

from uuid import UUID

from google.protobuf.json_format import MessageToDict

from chassis import clock, jobs
from chassis.call import Call
from chassis.errors import refuse, sentence
from chassis.ids import parse_id
from chassis.jobs import Job
from customers.exporting import operations
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ
from tongxiao.customers.v1 import export_job_pb2 as pb


def create_export_job(request: pb.CreateExportJobRequest, call: Call) -> pb.ExportJob:
    given = request.export_job
    if given.kind == pb.EXPORT_KIND_CONTACTS and not call.caller.holds(PERMISSION_CONTACT_READ):
        raise refuse("PERMISSION_MISSING")
    return _message(operations.create_export(call, job_id=parse_id(given.id), given=MessageToDict(_asked(given))))


def get_export_job(request: pb.GetExportJobRequest, call: Call) -> pb.ExportJob:
    return _message(jobs.get(call, UUID(request.id), operations.KIND))


def list_export_jobs(request: pb.ListExportJobsRequest, call: Call) -> pb.ListExportJobsResponse:
    found, token = jobs.listed(call, request, operations.KIND)
    return pb.ListExportJobsResponse(export_jobs=[_message(job) for job in found], next_page_token=token)


def cancel_export_job(request: pb.CancelExportJobRequest, call: Call) -> pb.ExportJob:
    return _message(jobs.cancel(call, UUID(request.id), operations.KIND))


def _asked(given: pb.ExportJob) -> pb.ExportJob:
    return pb.ExportJob(
        kind=given.kind, format=given.format or pb.EXPORT_FORMAT_CSV, filter=given.filter, language=given.language
    )


def _message(job: Job) -> pb.ExportJob:
    message = operations.asked(job)
    message.id, message.state, message.reason = str(job.id), jobs.state_of(job), job.reason
    message.text, message.text_en = sentence(job.reason)
    message.progress.CopyFrom(job.message)
    message.file_key, message.file_name = job.cursor.get("file_key", ""), operations.file_name(job)
    message.create_time.CopyFrom(clock.stamp(job.created_at))
    if job.finished_at:
        message.finish_time.CopyFrom(clock.stamp(job.finished_at))
    return message
