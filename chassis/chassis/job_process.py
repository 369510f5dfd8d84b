"""The process `jobs`: does long work step by step, each as the person who wanted it may at that moment.

It has no event loop to block and no RPCs to keep waiting, so files may be parsed and services asked. More processes
share the work. People's events never wait behind a job's: these leave by the bulk lane.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from opentelemetry import trace
from sqlalchemy import Engine

from chassis import authority, files, handling, health, jobs, outbox, process, serve
from chassis.authority import Authority, OwnerAwayError
from chassis.call import Call, mapped_classes
from chassis.database import transaction, transaction_of
from chassis.errors import refuse
from chassis.guard import ReachedSession
from chassis.jobs import Job, Kind
from chassis.passport import Verifier
from chassis.service import ServiceProcesses, resolve
from chassis.settings import ProcessSettings
from chassis.tree import TreeCache

log = logging.getLogger(__name__)
tracer = trace.get_tracer("chassis")

TIDY_S = 3600


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What doing jobs takes."""

    engine: Engine
    kinds: Mapping[str, Kind]
    classes: tuple[type, ...]
    trees: TreeCache
    authority: Authority
    retry_s: float

    def turn(self) -> bool:
        """Do one step of one job; whether there was any. Raises OwnerAwayError where nobody says who may."""
        begun: list[UUID] = []
        try:
            with transaction_of(ReachedSession, self.engine, lane=outbox.BULK) as session:
                job = jobs.claim(session)
                if job is None:
                    return False
                begun.append(job.id)
                self._step(session, job)
        except OwnerAwayError:
            raise
        except Exception as error:
            if handling.is_outage(error) or not begun:
                log.warning("the store is away: %s", type(error).__name__)
                return False
            self._failed(begun[0], error)
        return True

    def _step(self, session: ReachedSession, job: Job) -> None:
        kind = self.kinds[job.kind]
        with tracer.start_as_current_span(f"job {job.kind}", attributes={"tongxiao.job": str(job.id)}):
            caller = self.authority(job.person_id)
            if not caller.holds(kind.rpc.permission):
                raise refuse("PERMISSION_MISSING")
            jobs.advance(Call(kind.rpc, caller, session, self.trees, self.classes, f"job {job.id}"), job, kind)

    def _failed(self, job_id: UUID, error: Exception) -> None:
        log.error("job %s failed: %s", job_id, handling.describe(error), exc_info=error)
        with transaction(self.engine) as session:
            jobs.fail(session, job_id, error, retry_s=self.retry_s)


def run(service: ServiceProcesses, settings: ProcessSettings, _arguments: Sequence[str]) -> int:
    """Do jobs until told to stop; the step at work is finished first."""
    stop, url = process.stopping(), settings.database_url.get_secret_value()
    files.use(settings.files_url)
    token = settings.service_token.get_secret_value()
    verifier = Verifier(serve.keys(settings.identity_target))
    with serve.engine_of(service, settings, "jobs") as engine:
        desk = desk_of(service, settings, engine, authority.asking(settings.identity_target, token, verifier))
        with health.database_check(url) as database, health.page(settings.health_listen, {"database": database}):
            process.spare_the_collector()
            _work(desk, stop, poll_s=settings.job_poll_s)
    return 0


def desk_of(service: ServiceProcesses, settings: ProcessSettings, engine: Engine, of: Authority) -> Desk:
    """The desk of a service, on an engine that lets no statement past reach."""
    return Desk(
        engine=engine,
        kinds=resolve(service.jobs),
        classes=mapped_classes(resolve(service.base)),
        trees=TreeCache(engine),
        authority=of,
        retry_s=settings.job_retry_s,
    )


def _work(desk: Desk, stop: threading.Event, *, poll_s: float) -> None:
    tidied = float("-inf")
    while not stop.is_set():
        if time.monotonic() - tidied > TIDY_S:
            tidied = time.monotonic()
            _tidy(desk.engine)
        try:
            rest = 0 if desk.turn() else poll_s
        except OwnerAwayError as error:
            log.warning("identity does not answer (%s): long work rests", error)
            rest = desk.retry_s
        stop.wait(rest)


def _tidy(engine: Engine) -> None:
    try:
        with transaction(engine) as session:
            jobs.forget(session)
        files.forget()
    except Exception as error:
        log.warning("old jobs and files stay for now: %s", handling.describe(error))
