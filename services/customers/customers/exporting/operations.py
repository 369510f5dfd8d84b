"""What an export does: a page a step, within the reach of the grants that may export, each field as one reads it."""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf.json_format import ParseDict

from chassis import files, jobs, sheets
from chassis.call import Call
from chassis.jobs import Job
from customers.customer import queries as customers
from customers.exporting import queries, rows
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ, PERMISSION_CUSTOMER_EXPORT
from tongxiao.customers.v1 import customer_pb2, export_job_pb2

KIND = "export"
_PAGE = 200


def create_export(call: Call, *, job_id: UUID | None, given: Mapping[str, Any]) -> Job:
    """Begin an export; the same again answers it as it is. Audited. Refuses what its filter is refused for."""
    job = jobs.create(call, kind=KIND, job_id=job_id, arguments=dict(given))
    customers.narrowing_of(call, asked(job).filter)
    return job


def asked(job: Job) -> export_job_pb2.ExportJob:
    """What an export was asked to hold."""
    return ParseDict(job.arguments, export_job_pb2.ExportJob(), ignore_unknown_fields=True)


def step(call: Call, job: Job) -> None:
    """Write the next page, or put the pages together when there is none."""
    wanted = asked(job)
    if not job.cursor:
        job.cursor = {"token": "", "parts": 0}
        _write_part(job, [rows.header(wanted.kind)])
    request = customer_pb2.ListCustomersRequest(filter=wanted.filter, page_size=_PAGE, page_token=job.cursor["token"])
    with call.reading_as(PERMISSION_CUSTOMER_EXPORT):
        page = customers.page_of(call, request)
        found = customers.objects_by_ids(call.session, page.ids)
        written = (
            _contacts(call, found) if wanted.kind == export_job_pb2.EXPORT_KIND_CONTACTS else _customers(call, found)
        )
    _write_part(job, written)
    job.count(done=len(written))
    job.cursor["token"] = page.next_token
    if not page.next_token:
        job.cursor["file_key"] = _put_together(job, wanted.format)
        job.progress["total"] = job.progress.get("done", 0)
        job.end(jobs.DONE)


def _customers(call: Call, found: Sequence[Any]) -> list[list[str]]:
    known = queries.names(call.session, found)
    return [rows.customer(customer, call, known) for customer in found]


def _contacts(call: Call, found: Sequence[Any]) -> list[list[str]]:
    by_id = {customer.id: customer for customer in found}
    with call.reading_as(PERMISSION_CONTACT_READ):
        contacts = queries.contacts_at(call.session, list(by_id))
        return [
            rows.contact(contact, place, by_id[place.customer_id], call)
            for contact in contacts
            for place in contact.places
            if place.customer_id in by_id
        ]


def _write_part(job: Job, written: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(written)
    files.put(_part_key(job, job.cursor["parts"]), text.getvalue().encode())
    job.cursor["parts"] += 1


def _part_key(job: Job, number: int) -> str:
    """A step that is done again writes the same part again."""
    return f"{job.person_id.hex}-{job.id.hex}-{number}.part"


def _put_together(job: Job, file_format: int) -> str:
    workbook = file_format == export_job_pb2.EXPORT_FORMAT_XLSX
    key = files.new_key(job.person_id, ".xlsx" if workbook else ".csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export")
        if workbook:
            sheets.write_xlsx(_parts(job), path)
        else:
            with path.open("w", encoding="utf-8-sig", newline="") as text:
                sheets.write_csv(_parts(job), text)
        with path.open("rb") as made:
            files.put(key, made)
    return key


def _parts(job: Job) -> Iterator[list[str]]:
    for number in range(job.cursor["parts"]):
        with files.fetched(_part_key(job, number)) as path, path.open(encoding="utf-8", newline="") as text:
            yield from csv.reader(text)
