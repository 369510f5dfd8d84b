"""EmployeeImportJobsService: the chassis's imports, of employees."""

from chassis import import_jobs
from chassis.call import Call
from identity.employee_import.employee_rows import EMPLOYEES
from tongxiao.common.v1 import job_pb2
from tongxiao.identity.v1 import import_job_pb2 as pb

IMPORTERS = {EMPLOYEES.kind: EMPLOYEES}


def create_employee_import_job(request: pb.CreateEmployeeImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.create(IMPORTERS, request.import_job, call)


def get_employee_import_job(request: pb.GetEmployeeImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.get(IMPORTERS, request.id, call)


def list_employee_import_jobs(
    request: pb.ListEmployeeImportJobsRequest, call: Call
) -> pb.ListEmployeeImportJobsResponse:
    found, token = import_jobs.listed(IMPORTERS, request, call)
    return pb.ListEmployeeImportJobsResponse(import_jobs=found, next_page_token=token)


def update_employee_import_job(request: pb.UpdateEmployeeImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.change(IMPORTERS, request, call)


def start_employee_import_job(request: pb.StartEmployeeImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.start(IMPORTERS, request, call)


def cancel_employee_import_job(request: pb.CancelEmployeeImportJobRequest, call: Call) -> job_pb2.ImportJob:
    return import_jobs.cancel(IMPORTERS, request.id, call)


def list_employee_import_rows(
    request: pb.ListEmployeeImportRowsRequest, call: Call
) -> pb.ListEmployeeImportRowsResponse:
    found, token = import_jobs.rows(IMPORTERS, request, call)
    return pb.ListEmployeeImportRowsResponse(rows=found, next_page_token=token)
