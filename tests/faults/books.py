"""The books of a chain, closed after a storm: what was promised is compared with every row, event and effect."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from chassis.testing import ServiceDatabase, eventually
from probe.victim import VARIABLE

from .chain import SERVICES, Chain
from .phones import Ledger

TOLD = """
WITH told AS (SELECT type, event_id, convert_from(envelope, 'UTF8')::jsonb AS event FROM outbox)
"""
# What must be nowhere, by promise: each counts what breaks it.
PROMISES = {
    "customers whose creation is not once in the trail": """
        SELECT count(*) FROM customers c WHERE 1 <> (
            SELECT count(*) FROM audit
            WHERE resource = 'customer' AND resource_id = c.id::text AND coalesce(before, 'null') = 'null')""",
    "customers with a version that is not once in the trail": """
        SELECT count(*) FROM customers c WHERE c.version <> (
            SELECT count(*) FROM audit WHERE resource = 'customer' AND resource_id = c.id::text)""",
    "contact records that are not once in the trail": """
        SELECT count(*) FROM contact_records r WHERE 1 <> (
            SELECT count(*) FROM audit WHERE resource = 'contact_record' AND resource_id = r.id::text)""",
    "rows of the trail about customers that are not there": """
        SELECT count(*) FROM audit a WHERE resource = 'customer'
        AND NOT EXISTS (SELECT FROM customers WHERE id = a.resource_id::uuid)""",
    "customers with a version told never or twice": f"""{TOLD}, versions AS (
            SELECT (event ->> 'subject')::uuid AS id, count(*) AS told,
            count(DISTINCT event -> 'aggregateversion') AS n,
            max((event -> 'aggregateversion')::int) AS newest FROM told WHERE type = 'customer.changed.v1' GROUP BY 1)
        SELECT count(*) FROM customers c FULL JOIN versions v USING (id)
        WHERE (v.told, v.n, v.newest) IS DISTINCT FROM (c.version, c.version, c.version)""",
    "contact records told never or twice": f"""{TOLD}, logged AS (
            SELECT (event -> 'data' ->> 'id')::uuid AS id, count(*) AS told FROM told
            WHERE type = 'contact_record.logged.v1' GROUP BY 1)
        SELECT count(*) FROM contact_records r FULL JOIN logged l USING (id) WHERE l.told IS DISTINCT FROM 1
        OR r.id IS NULL""",
    "rows of the trail under no seal": "SELECT count(*) FROM audit_unsealed",
    "jobs at work": "SELECT count(*) FROM jobs WHERE state = 'ACTIVE'",
}
# Nobody here listens to product lines.
WAITING = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND type <> 'product_line.changed.v1'"
# Who handles what of whom.
FLOWS = (
    ("customers", "customer.changed.v1", "probe"),
    ("customers", "contact_record.logged.v1", "probe"),
    *(("identity", kind, who) for kind in ("org.changed.v1", "person.changed.v1") for who in ("customers", "probe")),
    ("customers", "audit.sealed.v1", "identity"),
    ("identity", "audit.sealed.v1", "customers"),
)
# What others keep of customers, and the query that says what it must be.
KEPT = {
    "customers": ("SELECT id, version, name FROM customers", "SELECT id, version, name FROM probe_customers"),
    "contact records": (
        "SELECT id, customer_id FROM contact_records",
        "SELECT id, customer_id FROM probe_contact_records",
    ),
}


def settled(chain: Chain, timeout: float = 90) -> None:
    """Wait until all processes are well and nothing is on its way any more."""
    eventually(chain.ready, timeout, every=0.2)
    eventually(lambda: _nothing(on_the_way(chain)), timeout, every=0.2)


def _nothing(found: Mapping[str, int]) -> bool:
    assert found == {}
    return True


def on_the_way(chain: Chain) -> dict[str, Any]:
    """What is still to be sent, sealed or handled."""
    found: dict[str, Any] = {f"{name} to be sent": value(chain.databases[name], WAITING) for name in SERVICES}
    found["to be sealed"] = value(chain.databases["customers"], PROMISES["rows of the trail under no seal"])
    found["to be handled"] = sum(len(waiting) for waiting in unhandled(chain).values())
    return {name: count for name, count in found.items() if count}


def value(database: ServiceDatabase, query: str) -> Any:
    return next(iter(rows(database, query)))[0]


def rows(database: ServiceDatabase, query: str) -> list[tuple[Any, ...]]:
    with database.admin() as connection:
        return connection.execute(query).fetchall()


def unhandled(chain: Chain) -> dict[str, set[Any]]:
    """Events that are not in a consumer's inbox, and the other way round, by consumer and type."""
    found = {}
    for source, kind, consumer in FLOWS:
        sent = set(rows(chain.databases[source], f"SELECT event_id FROM outbox WHERE type = '{kind}'"))
        inbox = f"SELECT event_id FROM inbox WHERE consumer = '{consumer}.{source}.{kind}'"
        found[f"{consumer} {kind}"] = sent ^ set(rows(chain.databases[consumer], inbox))
    return found


def close(chain: Chain, ledger: Ledger, *, imported: int = 0, trails: bool = True) -> dict[str, int]:
    """Every count that is off, by promise; nothing where all are kept. `imported` customers came by a file.

    Without `trails` the audit trails are counted and not verified, which takes seconds.
    """
    customers, probe = chain.databases["customers"], chain.databases["probe"]
    found = {promise: value(customers, query) for promise, query in PROMISES.items()}
    found |= {f"events of {name} not sent": value(chain.databases[name], WAITING) for name in SERVICES}
    found |= {f"events {kind} not handled, or handled unsent": len(odd) for kind, odd in unhandled(chain).items()}
    for what, (ours, theirs) in KEPT.items():
        found[f"{what} that the probe keeps otherwise"] = len(set(rows(customers, ours)) ^ set(rows(probe, theirs)))
    found |= _answered(chain, ledger, imported=imported)
    found |= {f"events parked by {name}": chain.probe.depth(f"{name}.parked") for name in SERVICES}
    found |= _organisation(chain, ledger)
    if trails:
        found["trails that do not verify"] = sum(verify(chain, name) != 0 for name in ("identity", "customers"))
    found["answers nobody expected"] = len(ledger.surprises)
    return {promise: count for promise, count in found.items() if count}


def _answered(chain: Chain, ledger: Ledger, *, imported: int) -> Mapping[str, int]:
    """What was answered for against what there is."""
    customers = chain.databases["customers"]
    by_hand = "NOT 'imported' = ANY(tags)"
    names = dict(rows(customers, f"SELECT id, name FROM customers WHERE {by_hand}"))
    records = dict(rows(customers, "SELECT id, customer_id FROM contact_records"))
    changed = "SELECT resource_id::uuid, count(*) FROM audit WHERE resource = 'customer' AND action = 'UpdateCustomer'"
    changes = dict(rows(customers, f"{changed} GROUP BY 1"))
    return {
        "customers answered for and not there, or otherwise": len(names.items() ^ ledger.customers.items()),
        "changes answered for and not made once": len(changes.items() ^ ledger.changes.items()),
        "contact records answered for and not there": len(records.items() ^ ledger.records.items()),
        "customers imported too often or never": abs(
            imported - value(customers, f"SELECT count(*) FROM customers WHERE NOT {by_hand}")
        ),
    }


def _organisation(chain: Chain, ledger: Ledger) -> Mapping[str, int]:
    tree = "SELECT id FROM org_units"
    owned = set(rows(chain.databases["identity"], tree))
    found = {"units opened and not there": len({(unit,) for unit in ledger.units} - owned)}
    for name in ("customers", "probe"):
        found[f"units that {name} keeps otherwise"] = len(owned ^ set(rows(chain.databases[name], tree)))
    return found


def run(chain: Chain, service: str, kind: str, *arguments: str, fault: str = "") -> int:
    """Run a process that ends by itself, to be struck at a point if told; its exit code."""
    return run_with(chain.environment(f"{service} work"), service, kind, *arguments, fault=fault)


def run_with(env: Mapping[str, str], service: str, kind: str, *arguments: str, fault: str = "") -> int:
    """The same on other variables."""
    module = ("probe.victim", service) if fault else (service,)
    env = {"PATH": os.environ["PATH"], **env, VARIABLE: fault}
    command = [sys.executable, "-m", *module, kind, *arguments]
    return subprocess.run(command, env=env, check=False, timeout=120).returncode


def verify(chain: Chain, service: str) -> int:
    return run(chain, service, "verify-audit")
