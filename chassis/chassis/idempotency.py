"""A request with an idempotency key is carried out once; a repeat is answered with what became of it."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from chassis import schema
from chassis.errors import refuse
from chassis.rpc import Rpc

_EXEMPT = {"reach": "idempotency"}


def once(
    session: Session, rpc: Rpc, request: Message, *, caller_id: UUID, key: str, run: Callable[[], Message]
) -> tuple[Message, bool]:
    """The answer, and whether it repeats an earlier one.

    Refuses IN_PROGRESS while the same key is at work, IDEMPOTENCY_KEY_REUSED where it was used for another request.
    """
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{caller_id}/{key}", 0))
    if not session.scalar(select(lock), execution_options=_EXEMPT):
        raise refuse("IN_PROGRESS")
    table = schema.idempotency.c
    wanted = select(table.method, table.request_hash, table.response).where(
        table.caller_id == caller_id, table.key == key
    )
    found = session.execute(wanted, execution_options=_EXEMPT).one_or_none()
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if found is None:
        response = run()
        row = {"caller_id": caller_id, "key": key, "method": rpc.path, "request_hash": digest}
        session.execute(
            insert(schema.idempotency).values(**row, response=response.SerializeToString()), execution_options=_EXEMPT
        )
        return response, False
    if (found.method, found.request_hash) != (rpc.path, digest):
        raise refuse("IDEMPOTENCY_KEY_REUSED")
    return rpc.response.FromString(found.response), True
