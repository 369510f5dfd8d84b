"""The rows of an import that say what an earlier row of another step has said."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import import_rows, schema
from chassis.jobs import Job

# How many are looked for in a column: they are kept with the job.
MOST = 1000

_EXEMPT = {"reach": "the rows of the caller's own import"}


def of_step(
    session: Session, job: Job, found: Sequence[Any], places: Mapping[str, int]
) -> Iterator[tuple[int, str, int]]:
    """The rows of a step whose value of one of these fields a row of an earlier step, that was taken, has too.

    Each as its number, the field and that row. `places` are the fields' columns.
    """
    if not job.cursor["row"]:
        job.cursor["twice"] = {name: _repeated(session, job, at) for name, at in places.items()}
    for name, seen in job.cursor["twice"].items():
        for number in (each.number for each in found if str(each.number) in seen):
            earlier = [each for each in _earlier(seen, number) if each < found[0].number]
            if row := max(_taken(session, job, earlier), default=0):
                yield number, name, row


def _earlier(seen: Mapping[str, int], number: int) -> Iterator[int]:
    """All the rows before this one that say the same."""
    while number := seen.get(str(number), 0):
        yield number


def _repeated(session: Session, job: Job, at: int) -> dict[str, int]:
    """The rows whose cell in this place an earlier row has too, apart from case and punctuation, and that row."""
    table = schema.job_rows.c
    bare = func.regexp_replace(func.lower(table.cells[at + 1]), "[^[:alnum:]]+", "", "g")
    earlier = func.lag(table.number).over(partition_by=bare, order_by=table.number).label("earlier")
    seen = select(table.number, earlier).where(table.job_id == job.id, bare != "").subquery()
    wanted = select(seen).where(seen.c.earlier.is_not(None)).order_by(seen.c.number).limit(MOST)
    return {str(row.number): row.earlier for row in session.execute(wanted, execution_options=_EXEMPT)}


def _taken(session: Session, job: Job, numbers: Collection[int]) -> set[int]:
    """Those of these rows that were not refused."""
    table = schema.job_rows.c
    wanted = select(table.number).where(
        table.job_id == job.id, table.number.in_(numbers), table.outcome != import_rows.FAILED
    )
    return set(session.scalars(wanted, execution_options=_EXEMPT))
