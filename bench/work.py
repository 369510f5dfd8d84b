"""Long work: rows a second of an import, by a real process; and a branch that moves to another region."""

import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joserfc.jwk import RSAKey

from bench import cpu, data, stage
from bench.data import Person, Shape
from bench.filling import filled
from bench.table import Section, table
from chassis import channels, files, organisation, passport
from chassis.database import transaction
from chassis.testing.databases import ServiceDatabase
from chassis.testing.polling import eventually
from chassis.testing.processes import free_port, process_environment, running
from customers.facts import check_character
from gateway.testing import services
from gateway.testing.services import Services
from tongxiao.common.v1 import job_pb2
from tongxiao.customers.v1 import import_job_pb2, import_job_pb2_grpc
from tongxiao.identity.events.v1.events_pb2 import OrgUnit
from tongxiao.identity.v1 import session_pb2

ROWS, CUSTOMERS = 20_000, 200_000
# Two regions of one branch each: half of the customers lie in either.
HALVES = Shape(regions=2, branches=1, teams=25, held=400, contacts=1, records=1)
TOLD = f"{ROWS:,} rows into {CUSTOMERS:,} customers, every check made, by one process; then half of them move."
HEADER = "Name,Tax ID,Phone,Street,Tags,Notes"


def measure() -> Section:
    with filled(HALVES, CUSTOMERS) as database:
        rows = [*_import(database), *_move(database)]
    return Section("Long work", TOLD, table(["what", "asked", "measured"], rows))


def _import(database: ServiceDatabase) -> Iterator[list[str]]:
    with _importing(database) as (stub, metadata, person, pid, folder):
        files.use(f"file://{folder}")
        key = files.new_key(person.id)
        files.put(key, io.BytesIO(_sheet()))
        given = job_pb2.ImportJob(kind="customer", file_key=key)
        job = stub.CreateImportJob(import_job_pb2.CreateImportJobRequest(import_job=given), metadata=metadata)
        for what, asked in (("read and previewed", ""), ("imported", "≥ 1,000/s")):
            began, before = time.monotonic(), cpu.of_process(pid)
            job = eventually(partial(_settled, stub, job.id, metadata), 120, every=0.1)
            took, spent = time.monotonic() - began, cpu.of_process(pid) - before
            assert job.progress.created == ROWS, job.progress
            yield [f"rows {what}", asked, f"{ROWS / took:,.0f}/s, {spent / ROWS:.2f} ms of CPU each"]
            if job.state == job_pb2.JOB_STATE_WAITING:
                started = import_job_pb2.StartImportJobRequest(id=job.id, etag=job.etag)
                stub.StartImportJob(started, metadata=metadata)


def _settled(stub: Any, job_id: str, metadata: Any) -> Any:
    job = stub.GetImportJob(import_job_pb2.GetImportJobRequest(id=job_id), metadata=metadata)
    return job if job.state != job_pb2.JOB_STATE_ACTIVE else None


@contextmanager
def _importing(database: ServiceDatabase) -> Iterator[tuple[Any, Any, Person, int, Path]]:
    """The service and its process for long work, and somebody who may import."""
    key, identity = RSAKey.generate_key(2048, {"kid": "bench"}, private=True), Services()
    _, id_, unit = next(iter(HALVES.sellers(CUSTOMERS)))
    person = Person("", id_, unit)
    _answer(identity, key, person)
    with services.serving(identity), TemporaryDirectory() as folder:
        target = f"127.0.0.1:{free_port()}"
        shared = {
            "TONGXIAO_IDENTITY_TARGET": f"127.0.0.1:{identity.port}",
            "TONGXIAO_SERVICE_TOKEN": stage.TOKEN,
            "TONGXIAO_FILES_URL": f"file://{folder}",
            "TONGXIAO_JOB_POLL_S": "0.05",
        }
        nowhere = "amqp://127.0.0.1:1/"
        serve = process_environment("serve", database, nowhere, TONGXIAO_LISTEN=target, **shared)
        work = process_environment("jobs", database, nowhere, **shared)
        with running("customers", "serve", serve), running("customers", "jobs", work) as process:
            stub = import_job_pb2_grpc.ImportJobsServiceStub(channels.channel(target))
            metadata = (("tongxiao-passport", passport.sign(stage.caller(person), key)),)
            yield stub, metadata, person, process.pid, Path(folder)


def _answer(identity: Services, key: RSAKey, person: Person) -> None:
    def issue(_request: Any) -> session_pb2.IssuePassportResponse:
        found = stage.caller(person)
        answer = session_pb2.IssuePassportResponse(passport=passport.sign(found, key), person_id=str(person.id))
        answer.expire_time.FromDatetime(found.expires_at)
        return answer

    keys = json.dumps({"keys": [key.as_dict(private=False)]})
    identity.on("SessionsService.ListPassportKeys", session_pb2.ListPassportKeysResponse(jwks=keys))
    path = "/tongxiao.identity.v1.SessionsService/IssuePersonPassport"
    identity.know(path, session_pb2.IssuePersonPassportRequest, session_pb2.IssuePassportResponse)
    identity.on("SessionsService.IssuePersonPassport", issue)


def _sheet() -> bytes:
    lines = [HEADER]
    for number in range(ROWS):
        body = f"91330100MA{number:07d}"
        code = body + check_character(body)
        lines.append(f"杭州第{number}精密机械有限公司,{code},1380{number:07d},人民路{number}号,老客户,第{number}家")
    return "\n".join(lines).encode("gb18030")


def _move(database: ServiceDatabase) -> Iterator[list[str]]:
    """Another region for a branch, as customers takes it over from identity's event."""
    branch, region = data.unit((0, 0)), data.unit((1,))
    with database.admin() as connection:
        held = _number(connection, HELD, branch)
        before = _number(connection, TOUCHED)
    began = time.monotonic()
    with transaction(database.engine("worker")) as session:
        told = OrgUnit(id=str(branch), parent_id=str(region), code="moved", kind="BRANCH")
        organisation.apply_units(session, 2, [told])
    took = time.monotonic() - began
    with database.admin() as connection:
        touched = _number(connection, TOUCHED) - before
    yield [
        f"a branch with {held:,} customers moves",
        "seconds, none touched",
        f"{took * 1000:.0f} ms, {touched} touched",
    ]


def _number(connection: Any, statement: str, *values: object) -> int:
    found: int = connection.execute(statement, values).fetchone()[0]
    return found


HELD = "SELECT count(*) FROM assignments JOIN org_closure ON descendant_id = unit_id WHERE ancestor_id = %s"
TOUCHED = """
SELECT sum(n_tup_upd + n_tup_ins)::bigint FROM pg_stat_user_tables WHERE relname IN ('customers', 'assignments')
"""
