"""Imports: a file's rows become records, after a preview that runs the very same code and takes it all back.

Phases, each step bounded: `read` keeps the rows as they came; `preview` tries them; then a person looks, maps columns
otherwise or starts; `run` applies them. A row that is refused is told with its reason, and the others go on.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from chassis import files, import_repeats, import_rows, jobs, sheets
from chassis.call import Call
from chassis.errors import DomainError, refuse
from chassis.import_rows import FAILED, UNCHANGED, Fault, Result
from chassis.jobs import Job
from chassis.pipeline import InvalidRequest

_DAY = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})\D{0,2}(?:[ T].*)?")
_SUBSCRIPT = re.compile(r"\[.*?\]")
STAGED = 1000


@dataclass(frozen=True)
class Field:
    """What a column may fill. `aliases` are other names by which files call it; a `key` finds records to update.

    A key no two rows of a file may have alike, nor two new records what is `unique`.
    """

    name: str
    title: str
    title_en: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    key: bool = False
    unique: bool = False


@dataclass(frozen=True)
class Row:
    """A row by its fields' names; empty cells are left out."""

    number: int
    values: Mapping[str, str]


def _anything(_call: Call, _plan: Mapping[str, Any]) -> None:
    """What is demanded of a plan where nothing is."""


# What rows do, all of a step's at once, in the caller's name; a row is refused in its result, never by raising.
Apply = Callable[[Call, Sequence[Row], str], list[Result]]


@dataclass(frozen=True, kw_only=True)
class Importer:
    """One kind of rows. `demand` refuses a plan by which no row could be taken."""

    kind: str
    fields: Sequence[Field]
    apply: Apply
    demand: Callable[[Call, Mapping[str, Any]], None] = _anything

    @property
    def job_kind(self) -> str:
        return f"import.{self.kind}"

    def step(self, call: Call, job: Job) -> None:
        """The next part of an import."""
        {"read": _read, "preview": _try, "run": _run}[job.cursor.get("phase", "read")](self, call, job)


def refused(error: DomainError, *, name: str = "") -> Result:
    """The result of a row that an operation refused."""
    return Result(FAILED, faults=[fault(error, name=name)], trace=error.trace)


def passed_over(error: DomainError) -> Result:
    """The result of a row that is about no record of this kind."""
    return Result(UNCHANGED, faults=[fault(error)])


def fault(error: DomainError, *, name: str = "") -> Fault:
    """What is told of a row, by the field's bare name; where it is about another row, with that one's number."""
    zh, en = error.zh or error.text, error.text
    if row := error.metadata.get("row"):
        zh, en = f"{zh}（第 {row} 行）", f"{en} (row {row})"
    return Fault(error.reason, name or error.field.rpartition(".")[2], zh, en)


def invalidated(invalid: InvalidRequest) -> Result:
    """The result of a row that breaks rules of the contracts: a fault for each field, by its bare name."""
    faults = [
        Fault("INVALID_FIELD", _SUBSCRIPT.sub("", each.field).rpartition(".")[2], each.zh, each.description)
        for each in invalid.violations
    ]
    return Result(FAILED, faults=faults)


def demand_mapping(importer: Importer, plan: Mapping[str, Any]) -> None:
    """Refuse MAPPING_INVALID a plan that names fields that are not there, or one field for two columns.

    And INVALID_FIELD, with those that are, records to be found by a field that is no key.
    """
    known = {each.name for each in importer.fields}
    targets = [target for target in plan["mapping"].values() if target]
    if not {*targets, *plan["defaults"]} <= known or len(targets) > len(set(targets)):
        raise refuse("MAPPING_INVALID", field="import_job.mapping")
    keys = [each.name for each in importer.fields if each.key]
    if plan["update_by"] and plan["update_by"] not in keys:
        raise refuse("INVALID_FIELD", field="import_job.update_by", allowed=", ".join(keys))


def guess(importer: Importer, columns: Sequence[str]) -> dict[str, str]:
    """Which column fills which field, by their names: of several that fit, the one whose name comes first there."""
    mapping = dict.fromkeys(columns, "")
    for each in importer.fields:
        for name in map(_folded, _names(each)):
            fitting = [column for column in columns if _folded(column) == name and not mapping[column]]
            if fitting:
                mapping[fitting[0]] = each.name
                break
    return mapping


def day(cell: str) -> str:
    """A day in ISO form, however its parts are separated; what is no day stays as it is, to be refused."""
    found = _DAY.fullmatch(cell)
    if not found:
        return cell
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return cell


def _names(each: Field) -> tuple[str, ...]:
    return (each.name, each.title, each.title_en, *each.aliases)


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _read(importer: Importer, call: Call, job: Job) -> None:
    """Keep the file's rows as they came."""
    if not files.is_of(job.arguments["file_key"], job.person_id):
        raise refuse("FILE_UNKNOWN", field="file_key")
    with files.fetched(job.arguments["file_key"]) as path:
        rows = sheets.read(path, job.arguments["sheet"])
        _, columns = next(rows)
        total = 0
        while batch := list(islice(rows, STAGED)):
            import_rows.stage(call.session, job.id, batch)
            total += len(batch)
    plan = {name: job.arguments[name] for name in ("mapping", "defaults", "update_by")}
    plan["mapping"] = plan["mapping"] or guess(importer, columns)
    if not total:
        raise refuse("FILE_EMPTY" if any(plan["mapping"].values()) else "HEADER_MISSING", field="file_key")
    demand_mapping(importer, plan)
    job.cursor = {"columns": columns, "plan": plan}
    begin(job, "preview", total)


def begin(job: Job, phase: str, total: int | None = None) -> None:
    """Have a phase begin at the first row."""
    job.cursor |= {"phase": phase, "row": 0}
    job.progress = {"total": job.progress["total"] if total is None else total}
    job.end(jobs.ACTIVE)


def _try(importer: Importer, call: Call, job: Job) -> None:
    """Apply the next rows and take it all back; wait for another plan where by this one none could be taken."""
    try:
        importer.demand(call, job.cursor["plan"])
    except DomainError as error:
        job.end(jobs.WAITING, error.reason)
        return
    found = import_rows.following(call.session, job)
    attempt = call.session.begin_nested()
    results = _results(importer, call, job, found)
    attempt.rollback()
    call.session.expunge_all()
    import_rows.keep(call.session, job, found, _traced(call.session, results))
    if len(found) < jobs.STEP:
        job.end(jobs.WAITING)


def _run(importer: Importer, call: Call, job: Job) -> None:
    found = import_rows.following(call.session, job)
    results = _results(importer, call, job, found)
    import_rows.keep(call.session, job, found, _traced(call.session, results))
    if len(found) < jobs.STEP:
        if job.progress.get("failed"):
            job.cursor["failed_rows_key"] = import_rows.write_failed(call.session, job)
        job.end(jobs.DONE)


def _traced(session: Session, results: Sequence[Result]) -> list[Result]:
    """The results, each of whose refusals has left its trace, in a preview too; a trace may end in another refusal."""
    return [_tracing(session, result) for result in results]


def _tracing(session: Session, result: Result) -> Result:
    try:
        if result.trace:
            result.trace(session)
    except DomainError as error:
        return refused(error)
    return result


def _results(importer: Importer, call: Call, job: Job, found: Sequence[Any]) -> list[Result]:
    columns, plan = job.cursor["columns"], job.cursor["plan"]
    repeated = import_repeats.of_step(call.session, job, found, _unique(importer, job))
    results = {number: refused(refuse("ROW_TWICE", field=name, row=row)) for number, name, row in repeated}
    rows = []
    for each in found:
        if each.number in results:
            continue
        if len(each.cells) > len(columns):
            results[each.number] = refused(refuse("ROW_TOO_LONG"))
        else:
            rows.append(Row(each.number, _values(each.cells, columns, plan)))
    applied = importer.apply(call, rows, plan["update_by"]) if rows else []
    results |= {row.number: result for row, result in zip(rows, applied, strict=True)}
    return [results[each.number] for each in found]


def _unique(importer: Importer, job: Job) -> dict[str, int]:
    """The fields that no two rows may have alike, each with the place of its column; records that are there may."""
    changing = bool(job.cursor["plan"]["update_by"])
    names = {each.name for each in importer.fields if each.key or (each.unique and not changing)}
    filled = [job.cursor["plan"]["mapping"].get(column, "") for column in job.cursor["columns"]]
    return {name: at for at, name in enumerate(filled) if name in names}


def _values(cells: Sequence[str], columns: Sequence[str], plan: Mapping[str, Any]) -> dict[str, str]:
    given = {plan["mapping"].get(column, ""): cell for column, cell in zip(columns, cells, strict=True) if cell}
    return {**plan["defaults"], **{name: cell for name, cell in given.items() if name}}
