"""Where a process may be struck: between any two things that must be kept together, or follow from each other."""

from dataclasses import dataclass

COMMIT = "sqlalchemy.orm:Session.commit"
EXECUTE = "psycopg:Connection.execute"
PUBLISH = "chassis.outbox:publish"
SEAL_ROWS = "DELETE FROM audit_unsealed"


@dataclass(frozen=True)
class Point:
    """Before or after a function "module:name", counting only calls whose arguments say something, if told.

    `since` names a function after whose first passing counting begins.
    """

    target: str
    before: bool = True
    saying: str = ""
    since: str = ""


def before(target: str, **more: str) -> Point:
    return Point(target, True, **more)


def after(target: str, **more: str) -> Point:
    return Point(target, False, **more)


API = {
    "api: asked, nothing read": before("chassis.idempotency:once"),
    "api: flushed, no audit row": before("chassis.audit:_insert"),
    "api: audit row, no event": after("chassis.audit:_insert"),
    "api: state, no event": before(PUBLISH),
    "api: event, answer not remembered": after(PUBLISH),
    "api: answer remembered, not committed": before(COMMIT, since="chassis.idempotency:once"),
    "api: committed, not answered": after(COMMIT, since="chassis.idempotency:once"),
    "api: answered, not sent": after("chassis.pipeline:Pipeline._answer", saying="CreateCustomer"),
}
RELAY = {
    "relay: leads, nothing taken": before("chassis.relay:_lead"),
    "relay: taken, not published": before("chassis.relay:_publish"),
    "relay: published, not confirmed": after("chassis.publisher:Publisher._send"),
    "relay: a confirm comes": before("chassis.publisher:Publisher._answered"),
    "relay: confirmed, not settled": before("chassis.relay:settle"),
    "relay: settling": before(EXECUTE, saying="UPDATE outbox SET published_at"),
    "relay: settled": after("chassis.relay:settle"),
}
SEALER = {
    "sealer: rows read, no seal": before("chassis.seals:row_hash"),
    "sealer: seal written, rows still noted": before(EXECUTE, saying=SEAL_ROWS),
    "sealer: sealed, not committed": after(EXECUTE, saying=SEAL_ROWS),
    "sealer: sealed, head not told": before("chassis.anchors:sealed"),
    "sealer: head told": after(EXECUTE, saying="INSERT INTO outbox"),
}
WORKER = {
    "worker: before the inbox": before("chassis.handling:handle_once"),
    "worker: in the inbox, no effect": after("chassis.handling:handle_once"),
    "worker: effect, not committed": after("probe.projections:customer_changed"),
    "worker: committed, not acknowledged": before("chassis.messaging.consumer:ReliableQueueConsumer.acknowledge"),
    "worker: acknowledged": after("chassis.messaging.consumer:ReliableQueueConsumer.acknowledge"),
}
FAILING = {
    "worker: failed, not copied": before("chassis.messaging.copies:Copies.send"),
    "worker: copied to retry, not acknowledged": after("chassis.messaging.copies:Copies.send"),
    "worker: about to park": before("chassis.messaging.copies:Copies.send", saying=".parked"),
    "worker: parked, not acknowledged": after("chassis.messaging.copies:Copies.send", saying=".parked"),
}
# An import of two steps reads (1), previews (2, 3) and, once started, runs (4, 5): its row is saved so often.
IMPORT = {
    "import: rows staged": after("chassis.import_rows:stage"),
    "import: rows read, job not saved": before("chassis.jobs:save"),
    "import: a preview taken back": after("chassis.imports:_results"),
}
RUN = {
    "import: effect, cursor not moved": before("chassis.jobs:save"),
    "import: cursor moved, not committed": after("chassis.jobs:save"),
    "import: committed": after(COMMIT, since="chassis.jobs:save"),
    "import: failed rows put together": before("chassis.import_rows:write_failed"),
}
EXPORT = {
    "export: part written, not committed": after("customers.exporting.operations:_write_part"),
    "export: about to be put together": before("customers.exporting.operations:_put_together"),
    "export: file made, not committed": after("customers.exporting.operations:_put_together"),
}
GATEWAY = {
    "gateway: nothing asked": before("gateway.upstream:Upstream.call", saying="CreateCustomer"),
    "gateway: the service has answered": after("gateway.upstream:Upstream.call", saying="CreateCustomer"),
}
IDENTITY = {
    "identity: revocation, no event": before(PUBLISH),
    "identity: event, not committed": after(PUBLISH),
    "identity: committed, not answered": after(COMMIT, since=PUBLISH),
}
MIGRATE = {
    "migrate: between two migrations": before("chassis.migrate:schema_create_v2"),
    "migrate: in a migration": after("chassis.migrate:schema_create_v2"),
    "migrate: no rights yet": before("chassis.migrate:_grant"),
    "migrate: rights not committed": after("chassis.migrate:_grant"),
}
BACKFILL = {
    "backfill: nothing applied": before("chassis.backfill:_apply"),
    "backfill: the first batch applied": after("chassis.backfill:_apply"),
}
REPLAY = {
    "replay: sent back, still parked": after("pika.adapters.blocking_connection:BlockingChannel.basic_publish"),
}
POINTS: dict[str, Point] = {
    **API,
    **RELAY,
    **SEALER,
    **WORKER,
    **FAILING,
    **IMPORT,
    **RUN,
    **EXPORT,
    **GATEWAY,
    **IDENTITY,
    **MIGRATE,
    **BACKFILL,
    **REPLAY,
}
