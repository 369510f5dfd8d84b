"""ImportJobsService: the chassis's imports, of customers and contacts."""

from chassis import import_jobs
from chassis.call import Call
from chassis.errors import refuse
from customers.importing.contact_rows import CONTACTS
from customers.importing.customer_rows import CUSTOMERS
from tongxiao.common.v1 import job_pb2
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_CREATE
from tongxiao.customers.v1 import import_job_pb2 as pb

IMPORTERS = {importer.kind: importer for importer in (CUSTOMERS, CONTACTS)}


def create_import_job(request: pb.CreateImportJobRequest, call: Call) -> job_pb2.ImportJob:
    if request.import_job.kind == CONTACTS.kind and not call.caller.holds(PERMISSION_CONTACT_CREATE):
        raise refuse("PERMISSION_MISSING")
    return import_jobs.create(IMPORTERS, request.import_job, call)


def get_import_job(request: pb.GetImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.get(IMPORTERS, request.id, call)


def list_import_jobs(request: pb.ListImportJobsRequest, call: Call) -> pb.ListImportJobsResponse:
    found, token = import_jobs.listed(IMPORTERS, request, call)
    return pb.ListImportJobsResponse(import_jobs=found, next_page_token=token)


def update_import_job(request: pb.UpdateImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.change(IMPORTERS, request, call)


def start_import_job(request: pb.StartImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.start(IMPORTERS, request, call)


def cancel_import_job(request: pb.CancelImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.cancel(IMPORTERS, request.id, call)


def list_import_rows(request: pb.ListImportRowsRequest, call: Call) -> pb.ListImportRowsResponse:
    found, token = import_jobs.rows(IMPORTERS, request, call)
    return pb.ListImportRowsResponse(rows=found, next_page_token=token)
