"""python -m <service> <kind>: one entry for every process of every service, importing only what that kind needs.

| kind         | what it is                                                                    |
|--------------|-------------------------------------------------------------------------------|
| serve        | the gRPC server                                                               |
| work         | the nameko worker: handles others' events, ticks                              |
| jobs         | does long work, a bounded step at a time: imports, exports, bulk changes      |
| relay        | sends the outbox to the broker                                                |
| migrate      | brings the database to the newest version and ends                            |
| backfill     | fills the projections from their owners' snapshots and ends                   |
| reconcile    | compares them with their owners, names what differs (`--repair`: heals it)    |
| verify-audit | compares the audit trail with its seals, names what is wrong and ends       |
| parked       | `parked list`, `parked replay [--id EVENT…]`: events that could not be handled |
"""

import gc
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What runs a kind of process: `run(service, settings, arguments)`, whose answer is the exit code.

    `own` says whether it takes the service's own settings or only those that every process has.
    """

    run: str
    own: bool = True


KINDS = {
    "serve": Kind("chassis.serve:run"),
    "work": Kind("chassis.messaging.runner:run"),
    "jobs": Kind("chassis.job_process:run"),
    "relay": Kind("chassis.relay:run", own=False),
    "migrate": Kind("chassis.migrate:run_process", own=False),
    "backfill": Kind("chassis.backfill:run"),
    "reconcile": Kind("chassis.reconcile:run"),
    "verify-audit": Kind("chassis.verify:run"),
    "parked": Kind("chassis.parked:run", own=False),
}


def main(name: str, arguments: Sequence[str] | None = None) -> None:
    """Run the kind of process that the command line names, then end with its exit code."""
    kind, *rest = arguments or sys.argv[1:] or [""]
    if kind not in KINDS:
        sys.exit(f"usage: python -m {name} {' | '.join(KINDS)}")
    if kind == "work":
        # Before anything else is imported: what eventlet has not patched by then stays blocking.
        from chassis.green import patch

        patch()
    sys.exit(_run(name, kind, rest))


def stopping() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    event = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event


def spare_the_collector() -> None:
    """What a process holds once it is ready stays: the garbage collector need not look through it ever again.

    What lives for one request is freed by its count of references, so that there is little to look for besides.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _run(name: str, kind: str, arguments: Sequence[str]) -> Any:
    from chassis import logs, telemetry
    from chassis.service import declared, resolve
    from chassis.settings import ProcessSettings, load

    service = declared(name)
    settings = load(service.settings if KINDS[kind].own else ProcessSettings)
    logs.configure(name, kind)
    end = telemetry.start(name, kind)
    try:
        return resolve(KINDS[kind].run)(service, settings, arguments)
    finally:
        end()
