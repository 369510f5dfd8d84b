"""The rows of an import: as they came, and what became of each."""

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from chassis import files, jobs, schema, sheets
from chassis.jobs import Job
from tongxiao.common.v1 import job_pb2 as pb

CREATED, UPDATED = pb.ROW_OUTCOME_CREATED, pb.ROW_OUTCOME_UPDATED
UNCHANGED, FAILED = pb.ROW_OUTCOME_UNCHANGED, pb.ROW_OUTCOME_FAILED
COUNTED: dict[int, str] = {CREATED: "created", UPDATED: "updated", UNCHANGED: "unchanged", FAILED: "failed"}
SAMPLES = 3
REASON_COLUMN = "失败原因 Reason"

_EXEMPT = {"reach": "the rows of the caller's own import"}


@dataclass(frozen=True)
class Fault:
    """Why a row is refused, and for which of its fields."""

    reason: str
    field: str
    text: str
    text_en: str


@dataclass
class Result:
    """What becomes of a row; `trace` is what its refusal leaves behind, as that of a call does."""

    outcome: int
    resource_id: UUID | None = None
    faults: list[Fault] = field(default_factory=list)
    trace: Callable[[Session], None] | None = None


def stage(session: Session, job_id: UUID, batch: Sequence[sheets.Row]) -> None:
    """Keep rows as they came."""
    kept = [{"job_id": job_id, "number": number, "cells": cells} for number, cells in batch]
    session.execute(insert(schema.job_rows), kept, execution_options=_EXEMPT)


def following(session: Session, job: Job) -> Sequence[Any]:
    """The rows of the next step."""
    table = schema.job_rows.c
    wanted = select(table.number, table.cells).where(table.job_id == job.id, table.number > job.cursor["row"])
    return session.execute(wanted.order_by(table.number).limit(jobs.STEP), execution_options=_EXEMPT).all()


def keep(session: Session, job: Job, found: Sequence[Any], results: Sequence[Result]) -> None:
    """Note what became of the rows, and how far the import is."""
    if not found:
        return
    table = schema.job_rows
    kept = [
        {
            "row": each.number,
            "outcome": result.outcome,
            "errors": [_told(fault, job) for fault in result.faults],
            "resource_id": result.resource_id,
        }
        for each, result in zip(found, results, strict=True)
    ]
    noted = update(table).where(table.c.job_id == job.id, table.c.number == bindparam("row"))
    values = {name: bindparam(name, type_=table.c[name].type) for name in ("outcome", "errors", "resource_id")}
    session.connection().execute(noted.values(values), kept, execution_options=_EXEMPT)
    job.cursor["row"] = found[-1].number
    job.count(done=len(found))
    for result in results:
        job.count(**{COUNTED[result.outcome]: 1})


def _told(fault: Fault, job: Job) -> dict[str, str]:
    mapping: Mapping[str, str] = job.cursor.get("plan", {}).get("mapping", {})
    column = next((column for column, target in mapping.items() if target == fault.field), fault.field)
    return {"column": column, "reason": fault.reason, "text": fault.text, "text_en": fault.text_en}


def write_failed(session: Session, job: Job) -> str:
    """The failed rows in the file's own columns, with the reasons beside them; the key of the file."""
    table = schema.job_rows.c
    failed = select(table.cells, table.errors).where(table.job_id == job.id, table.outcome == FAILED)
    found = session.execute(failed.order_by(table.number), execution_options=_EXEMPT)
    key = files.new_key(job.person_id, ".csv")
    with tempfile.TemporaryFile() as kept:
        text = io.TextIOWrapper(kept, encoding="utf-8-sig", newline="")
        sheets.write_csv([[*job.cursor["columns"], REASON_COLUMN]], text)
        sheets.write_csv(([*row.cells, _sentence(row.errors)] for row in found), text)
        text.flush()
        kept.seek(0)
        files.put(key, kept)
        text.detach()
    original = Path(job.arguments["file_name"]).stem
    files.name(key, f"{original} 失败行.csv".strip(), f"{original} failed rows.csv".strip())
    return key


def _sentence(errors: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(": ".join(filter(None, (each["column"], f"{each['text']} {each['text_en']}"))) for each in errors)


def samples(session: Session, job: Job) -> list[list[str]]:
    """The first values of each column."""
    table = schema.job_rows.c
    first = select(table.cells).where(table.job_id == job.id).order_by(table.number).limit(SAMPLES)
    found = session.scalars(first, execution_options=_EXEMPT).all()
    return [[cells[at] for cells in found if at < len(cells)] for at in range(len(job.cursor.get("columns", ())))]


def listed(session: Session, job_id: UUID, *, outcome: int, after: int, limit: int) -> Sequence[Any]:
    """Rows after a number, in the file's order, of one outcome if one is asked for."""
    table = schema.job_rows.c
    wanted = select(schema.job_rows).where(table.job_id == job_id, table.number > after)
    wanted = wanted.where(table.outcome == outcome) if outcome else wanted
    return session.execute(wanted.order_by(table.number).limit(limit), execution_options=_EXEMPT).all()
