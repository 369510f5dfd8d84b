"""The RPCs of imports, for any service: message → job → message. A service's `api.py` gives its importers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis import clock, files, import_rows, imports, jobs, masks, tokens
from chassis.call import Call
from chassis.errors import refuse, sentence
from chassis.ids import NIL, parse_id
from chassis.imports import Importer
from chassis.jobs import Job
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from chassis.rpc import snake_case
from tongxiao.common.v1 import job_pb2 as pb

CHANGEABLE = ("mapping", "defaults", "update_by")

Importers = Mapping[str, Importer]


def create(importers: Importers, given: pb.ImportJob, call: Call) -> pb.ImportJob:
    """Begin an import. Refuses FILE_UNKNOWN, MAPPING_INVALID, INVALID_FIELD, ID_TAKEN and ALREADY_EXISTS."""
    importer = importers.get(given.kind)
    if importer is None:
        raise refuse("INVALID_FIELD", field="import_job.kind")
    if not files.is_of(given.file_key, call.caller.person_id) or not files.exists(given.file_key):
        raise refuse("FILE_UNKNOWN", field="import_job.file_key")
    arguments = {"file_key": given.file_key, "file_name": given.file_name, "sheet": given.sheet, **_plan(given)}
    imports.demand_mapping(importer, arguments)
    if given.file_name:
        files.name(given.file_key, given.file_name)
    job = jobs.create(call, kind=importer.job_kind, job_id=parse_id(given.id), arguments=arguments)
    return message(importer, job, call)


def get(importers: Importers, job_id: str, call: Call) -> pb.ImportJob:
    return _told(importers, _get(importers, job_id, call), call)


def listed(importers: Importers, request: Any, call: Call) -> tuple[list[pb.ImportJob], str]:
    """A page of the caller's imports, and the next page's token."""
    found, token = jobs.listed(call, request, *_kinds(importers))
    return [_told(importers, job, call) for job in found], token


def change(importers: Importers, request: Any, call: Call) -> pb.ImportJob:
    """Plan an import otherwise and preview it anew.

    Refuses JOB_NOT_WAITING, VERSION_MISMATCH, MAPPING_INVALID and INVALID_FIELD.
    """
    given = request.import_job
    job = _waiting(importers, given.id, given.etag, call)
    names = masks.changed_fields(call, given, request.update_mask, allowed=CHANGEABLE)
    job.cursor["plan"] |= {name: value for name, value in _plan(given).items() if name in names}
    imports.demand_mapping(_importer(importers, job), job.cursor["plan"])
    return _begun(importers, job, "preview", call)


def start(importers: Importers, request: Any, call: Call) -> pb.ImportJob:
    """Apply what was previewed. Refuses JOB_NOT_WAITING, VERSION_MISMATCH and what the importer demands of a plan."""
    job = _waiting(importers, request.id, request.etag, call)
    _importer(importers, job).demand(call, job.cursor["plan"])
    return _begun(importers, job, "run", call)


def cancel(importers: Importers, job_id: str, call: Call) -> pb.ImportJob:
    return _told(importers, jobs.cancel(call, UUID(job_id), *_kinds(importers)), call)


def rows(importers: Importers, request: Any, call: Call) -> tuple[list[pb.ImportRow], str]:
    """A page of an import's rows, and the next page's token."""
    found, token = page_of_rows(_get(importers, request.import_job_id, call), request, call)
    return [_row(row) for row in found], token


def page_of_rows(job: Job, request: Any, call: Call) -> tuple[Sequence[Any], str]:
    """A page of a job's rows as they are kept, and the next page's token."""
    mark = tokens.fingerprint(call, request)
    after = tokens.read_token(request.page_token, mark)[0] if request.page_token else 0
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    found = import_rows.listed(call.session, job.id, outcome=request.outcome, after=after, limit=size + 1)
    token = tokens.token_of(found[size - 1].number, NIL, mark) if len(found) > size else ""
    return found[:size], token


def message(importer: Importer, job: Job, call: Call) -> pb.ImportJob:
    """An import as its owner sees it."""
    asked = job.arguments
    plan = job.cursor.get("plan", asked)
    samples, (zh, en) = import_rows.samples(call.session, job), sentence(job.reason)
    return pb.ImportJob(
        id=str(job.id),
        kind=importer.kind,
        file_key=asked["file_key"],
        file_name=asked["file_name"],
        sheet=asked["sheet"],
        mapping=plan["mapping"],
        defaults=plan["defaults"],
        update_by=plan["update_by"],
        state=jobs.state_of(job),
        preview=job.cursor.get("phase") != "run",
        progress=job.message,
        columns=[
            pb.ImportColumn(name=name, field=plan["mapping"].get(name, ""), samples=values)
            for name, values in zip(job.cursor.get("columns", ()), samples, strict=True)
        ],
        fields=[
            pb.ImportField(name=f.name, title=f.title, title_en=f.title_en, required=f.required, key=f.key)
            for f in importer.fields
        ],
        reason=job.reason,
        text=zh,
        text_en=en,
        sheets=job.cursor.get("told", {}).get("sheets", "").splitlines(),
        failed_rows_key=job.cursor.get("failed_rows_key", ""),
        etag=masks.etag(job.version),
        create_time=clock.stamp(job.created_at),
        update_time=clock.stamp(job.updated_at),
        finish_time=clock.stamp(job.finished_at),
    )


def kinds(importers: Importers, rpc: Any) -> dict[str, jobs.Kind]:
    """The kinds of jobs that imports are."""
    return {each.job_kind: jobs.Kind(rpc=rpc, step=each.step) for each in importers.values()}


def _plan(given: pb.ImportJob) -> dict[str, Any]:
    return {
        "mapping": {column: snake_case(name) for column, name in given.mapping.items()},
        "defaults": {snake_case(name): value for name, value in given.defaults.items()},
        "update_by": snake_case(given.update_by),
    }


def _kinds(importers: Importers) -> list[str]:
    return [each.job_kind for each in importers.values()]


def _importer(importers: Importers, job: Job) -> Importer:
    return importers[job.kind.removeprefix("import.")]


def _get(importers: Importers, job_id: str, call: Call) -> Job:
    return jobs.get(call, UUID(job_id), *_kinds(importers))


def _waiting(importers: Importers, job_id: str, etag: str, call: Call) -> Job:
    return jobs.waiting(call, UUID(job_id), etag, *_kinds(importers))


def _begun(importers: Importers, job: Job, phase: str, call: Call) -> pb.ImportJob:
    imports.begin(job, phase)
    jobs.go_on(call, job)
    return _told(importers, job, call)


def _told(importers: Importers, job: Job, call: Call) -> pb.ImportJob:
    return message(_importer(importers, job), job, call)


def _row(row: Any) -> pb.ImportRow:
    return pb.ImportRow(
        number=row.number,
        values=row.cells,
        outcome=row.outcome,
        errors=[pb.RowError(**error) for error in row.errors],
        resource_id=str(row.resource_id or ""),
    )
