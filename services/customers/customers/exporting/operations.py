"""What an export does: a page a step, within the reach of the grants that may export, each field as one reads it."""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf.json_format import ParseDict

from chassis import audit, clock, fields, files, jobs, sheets
from chassis.call import Call
from chassis.jobs import Job
from customers import people
from customers.customer import queries as customers
from customers.exporting import queries, rows
from tongxiao.common.v1.permission_pb2 import PERMISSION_CONTACT_READ, PERMISSION_CUSTOMER_EXPORT
from tongxiao.customers.v1 import customer_pb2, export_job_pb2

KIND = "export"
_PAGE = 200


def create_export(call: Call, *, job_id: UUID | None, given: Mapping[str, Any]) -> Job:
    """Begin an export; the same again answers it as it is. Audited. Refuses what its filter is refused for."""
    told = {"asked": _told(given)}
    job = jobs.create(call, kind=KIND, job_id=job_id, arguments=dict(given), told=told)
    customers.narrowing_of(call, asked(job).filter)
    return job


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, as the trail says it: a phone in part, whoever reads it."""
    phone = given.get("filter", {}).get("phone", "")
    return {**given, "filter": {**given["filter"], "phone": fields.masked_text(phone)}} if phone else dict(given)


def file_name(job: Job) -> str:
    """What the file holds, and the day on which it was begun."""
    wanted = asked(job)
    kind = export_job_pb2.ExportKind.Name(wanted.kind).removeprefix("EXPORT_KIND_")
    ending = export_job_pb2.ExportFormat.Name(wanted.format).removeprefix("EXPORT_FORMAT_")
    return f"{kind}-{job.cursor.get('day', clock.today())}.{ending}".lower()


def asked(job: Job) -> export_job_pb2.ExportJob:
    """What an export was asked to hold."""
    return ParseDict(job.arguments, export_job_pb2.ExportJob(), ignore_unknown_fields=True)


def step(call: Call, job: Job) -> None:
    """Write the next page, or put the pages together when there is none."""
    wanted = asked(job)
    if not job.cursor:
        today = clock.today(people.zone_of(call.session, job.person_id))
        job.cursor = {"token": "", "parts": 0, "day": today.isoformat()}
        _write_part(job, [rows.header(wanted.kind, wanted.language)])
    request = customer_pb2.ListCustomersRequest(filter=wanted.filter, page_size=_PAGE, page_token=job.cursor["token"])
    write = _contacts if wanted.kind == export_job_pb2.EXPORT_KIND_CONTACTS else _customers
    with call.reading_as(PERMISSION_CUSTOMER_EXPORT):
        page = customers.page_of(call, request)
        written = write(call, customers.objects_by_ids(call.session, page.ids), wanted.language)
    _write_part(job, written)
    job.count(done=len(written))
    job.cursor["token"] = page.next_token
    if not page.next_token:
        job.cursor["file_key"] = _put_together(job, wanted.format)
        job.progress["total"] = job.progress.get("done", 0)
        columns = rows.header(wanted.kind, wanted.language)
        told = {"asked": _told(job.arguments), "columns": columns, "rows": job.progress["total"]}
        audit.record_job(call.session, job.id, KIND, told, action="FinishExportJob")
        job.end(jobs.DONE)


def _customers(call: Call, found: Sequence[Any], language: str) -> list[list[str]]:
    known = queries.names(call.session, found)
    return [rows.customer(customer, call, known, language) for customer in found]


def _contacts(call: Call, found: Sequence[Any], language: str) -> list[list[str]]:
    by_id = {customer.id: customer for customer in found}
    with call.reading_as(PERMISSION_CONTACT_READ):
        contacts = queries.contacts_at(call.session, list(by_id))
        return [
            rows.contact(contact, place, by_id[place.customer_id], call, language)
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
    files.name(key, file_name(job))
    return key


def _parts(job: Job) -> Iterator[list[str]]:
    for number in range(job.cursor["parts"]):
        with files.fetched(_part_key(job, number)) as path, path.open(encoding="utf-8", newline="") as text:
            yield from csv.reader(text)
