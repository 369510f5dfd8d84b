"""Long work: a row says how far it has come, and each step is one transaction that moves the row and the data together.

Who works on a job holds the lock on its row. A process that dies lets go of it, and the next goes on from the last
step that was kept: every step takes effect once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from chassis import audit, clock, creation, ids, masks, schema, tokens, turns
from chassis.call import Call
from chassis.errors import DomainError, refuse
from chassis.paging import DEFAULT_SIZE, MAX_SIZE
from chassis.rpc import Rpc
from tongxiao.common.v1 import job_pb2 as pb

ACTIVE, WAITING, DONE, FAILED, CANCELLED = "ACTIVE", "WAITING", "DONE", "FAILED", "CANCELLED"
OVER = (DONE, FAILED, CANCELLED)
# Rows that one step changes at most.
STEP = 200
# After so many failures that were nobody's refusal, a job is given up.
ATTEMPTS = 5
KEPT = timedelta(days=30)
COUNTS = ("done", "total", "created", "updated", "unchanged", "failed")

_EXEMPT = {"reach": "the jobs of whoever asks"}


@dataclass
class Job:
    """A job, as its row has it. `arguments` are what was asked for; `cursor` is where the next step begins."""

    id: UUID
    kind: str
    person_id: UUID
    arguments: dict[str, Any]
    state: str = ACTIVE
    cursor: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    attempts: int = 0
    version: int = 1
    due_at: datetime = field(default_factory=clock.now)
    created_at: datetime = field(default_factory=clock.now)
    updated_at: datetime = field(default_factory=clock.now)
    finished_at: datetime | None = None

    def count(self, **more: int) -> None:
        """Add to the figures of its progress."""
        self.progress.update({name: self.progress.get(name, 0) + number for name, number in more.items()})

    def end(self, state: str, reason: str = "") -> None:
        """Be over, or wait for somebody; the reason says why it failed."""
        self.state, self.reason = state, reason
        self.finished_at = clock.now() if state in OVER else None

    @property
    def only_tried(self) -> bool:
        """Whether it is over without having begun what it had tried: its figures are of what would have been."""
        return self.state in OVER and self.cursor.get("phase", "run") != "run"

    @property
    def message(self) -> pb.JobProgress:
        shown = ("total",) if self.only_tried else COUNTS
        return pb.JobProgress(**{name: self.progress.get(name, 0) for name in shown})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a kind of job is done: `step` does the next bounded part, as the person who wanted it may today.

    `rpc` is the RPC whose permission and access each step runs under. A refusal that a step raises ends the job.
    """

    rpc: Rpc
    step: Callable[[Call, Job], None]


_COLUMNS = [schema.jobs.c[each.name] for each in fields(Job)]
_STATES: Mapping[str, pb.JobState.ValueType] = {
    name: pb.JobState.Value(f"JOB_STATE_{name}") for name in (ACTIVE, WAITING, *OVER)
}


def state_of(job: Job) -> pb.JobState.ValueType:
    return _STATES[job.state]


def create(
    call: Call, *, kind: str, job_id: UUID | None, arguments: dict[str, Any], told: Mapping[str, Any] | None = None
) -> Job:
    """Have a job done in the caller's name; the same again answers it as it is. `told` is what the trail says of it.

    Refuses ID_TAKEN another's id, and ALREADY_EXISTS one's own id for other work.
    """
    if job_id:
        turns.wait(call.session, creation.CREATION, job_id)
    if job_id and (existing := _find(call.session, job_id)):
        if existing.person_id != call.caller.person_id:
            raise refuse("ID_TAKEN", field="id")
        if (existing.kind, existing.arguments) != (kind, arguments):
            raise refuse("ALREADY_EXISTS", field="id")
        return existing
    made = Job(id=job_id or ids.new_id(), kind=kind, person_id=call.caller.person_id, arguments=arguments)
    values = {column.name: getattr(made, column.name) for column in _COLUMNS}
    call.session.execute(insert(schema.jobs).values(values), execution_options=_EXEMPT)
    audit.record_job(call.session, made.id, kind, told)
    return made


def get(call: Call, job_id: UUID, *kinds: str, lock: bool = False) -> Job:
    """One of the caller's jobs; `lock` until the end of the transaction. Refuses NOT_FOUND."""
    found = _find(call.session, job_id, lock=lock)
    if found is None or found.person_id != call.caller.person_id or found.kind not in kinds:
        raise refuse("NOT_FOUND")
    return found


def listed(call: Call, request: Any, *kinds: str) -> tuple[list[Job], str]:
    """A page of the caller's jobs of these kinds, newest first, and the next page's token; `at_work`: not yet over."""
    table, mark = schema.jobs.c, tokens.fingerprint(call, request)
    size = min(request.page_size or DEFAULT_SIZE, MAX_SIZE)
    wanted = select(*_COLUMNS).where(table.person_id == call.caller.person_id, table.kind.in_(kinds))
    if request.at_work:
        wanted = wanted.where(table.state.not_in(OVER))
    if request.page_token:
        wanted = wanted.where(tuple_(table.created_at, table.id) < tokens.read_token(request.page_token, mark))
    wanted = wanted.order_by(table.created_at.desc(), table.id.desc()).limit(size + 1)
    found = [Job(**row) for row in call.session.execute(wanted, execution_options=_EXEMPT).mappings()]
    last = found[size - 1] if len(found) > size else None
    return found[:size], tokens.token_of(last.created_at, last.id, mark) if last else ""


def waiting(call: Call, job_id: UUID, etag: str, *kinds: str) -> Job:
    """One of the caller's jobs that waits for them, locked. Refuses NOT_FOUND, VERSION_MISMATCH and JOB_NOT_WAITING."""
    job = get(call, job_id, *kinds, lock=True)
    masks.check_etag(etag, job.version)
    if job.state != WAITING:
        raise refuse("JOB_NOT_WAITING")
    return job


def go_on(call: Call, job: Job) -> None:
    """Have a job that waited be worked on, as it now stands."""
    job.due_at = clock.now()
    save(call.session, job)
    audit.record_job(call.session, job.id, job.kind)


def save(session: Session, job: Job) -> None:
    """Keep what has become of a job; a change makes a new version."""
    job.version, job.updated_at = job.version + 1, clock.now()
    values = {column.name: getattr(job, column.name) for column in _COLUMNS if column.name != "id"}
    session.execute(update(schema.jobs).where(schema.jobs.c.id == job.id).values(values), execution_options=_EXEMPT)


def cancel(call: Call, job_id: UUID, *kinds: str) -> Job:
    """Call a job off; the step at work is waited for. Refuses NOT_FOUND and JOB_OVER."""
    job = get(call, job_id, *kinds, lock=True)
    if job.state in OVER:
        raise refuse("JOB_OVER")
    job.end(CANCELLED)
    save(call.session, job)
    audit.record_job(call.session, job.id, job.kind)
    return job


def claim(session: Session) -> Job | None:
    """The job that has waited longest of those due, for this transaction alone; nothing where there is none."""
    table = schema.jobs.c
    due = select(*_COLUMNS).where(table.state == ACTIVE, table.due_at <= clock.now()).order_by(table.due_at).limit(1)
    row = session.execute(due.with_for_update(skip_locked=True), execution_options=_EXEMPT).mappings().one_or_none()
    return Job(**row) if row else None


def advance(call: Call, job: Job, kind: Kind) -> None:
    """Do a job's next step, and put it behind the others that are due."""
    kind.step(call, job)
    job.attempts, job.due_at = 0, clock.now()
    save(call.session, job)


def fail(session: Session, job_id: UUID, error: Exception, *, retry_s: float) -> None:
    """Note that a step failed: a refusal ends the job, anything else is tried again after a rest, five times."""
    job = _find(session, job_id, lock=True)
    if job is None or job.state != ACTIVE:
        return
    job.attempts += 1
    job.due_at = clock.now() + timedelta(seconds=retry_s * job.attempts)
    if isinstance(error, DomainError):
        job.end(FAILED, error.reason)
        job.cursor["told"] = error.metadata
    elif job.attempts >= ATTEMPTS:
        job.end(FAILED, "INTERNAL")
    save(session, job)


def forget(session: Session) -> None:
    """Delete what ended, or was left waiting, a month ago."""
    old = select(schema.jobs.c.id).where(schema.jobs.c.state != ACTIVE, schema.jobs.c.updated_at < clock.now() - KEPT)
    session.execute(delete(schema.job_rows).where(schema.job_rows.c.job_id.in_(old)), execution_options=_EXEMPT)
    session.execute(delete(schema.jobs).where(schema.jobs.c.id.in_(old)), execution_options=_EXEMPT)


def _find(session: Session, job_id: UUID, *, lock: bool = False) -> Job | None:
    wanted = select(*_COLUMNS).where(schema.jobs.c.id == job_id)
    wanted = wanted.with_for_update() if lock else wanted
    row = session.execute(wanted, execution_options=_EXEMPT).mappings().one_or_none()
    return Job(**row) if row else None
