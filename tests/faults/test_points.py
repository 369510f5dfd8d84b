"""Each process struck at each chosen point, once: the work is done all the same, and all the books are right.

FAULTS_POINTS=all strikes at every point, one at a time; else at one of each group, at several processes at once.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from chassis import migrate
from chassis.testing import Databases, eventually, process_environment
from probe import points
from probe.model import METADATA

from . import books
from .long_work import LongWork
from .phones import Ledger, signed_in
from .scene import STRUCK, Scene
from .servers import Servers

ALL = os.environ.get("FAULTS_POINTS") == "all"
ROWS = 250
BY_A_CREATION = {
    **dict.fromkeys(points.API, "customers serve"),
    **dict.fromkeys(points.RELAY, "customers relay"),
    **dict.fromkeys(points.SEALER, "customers relay"),
    **dict.fromkeys(points.WORKER, "probe work"),
    **dict.fromkeys(points.GATEWAY, "gateway serve"),
}
AT_ONCE = (
    (
        "api: committed, not answered",
        "relay: confirmed, not settled",
        "worker: committed, not acknowledged",
        "gateway: the service has answered",
    ),
    ("sealer: sealed, not committed",),
)
FEW = {
    *(point for together in AT_ONCE for point in together),
    "identity: committed, not answered",
    "import: cursor moved, not committed",
    "export: file made, not committed",
    "worker: parked, not acknowledged",
    "replay: sent back, still parked",
    "backfill: the first batch applied",
    "migrate: in a migration",
}
migrated: Counter[str] = Counter()


def chosen(among: Iterable[str]) -> list[str]:
    return [point for point in among if ALL or point in FEW]


@pytest.fixture(scope="module", autouse=True)
def _told(scene: Scene, tally: Callable[..., None]) -> Iterator[None]:
    yield
    off = scene.closed(trails=True)
    tally("points", "points struck", asked=len(chosen(points.POINTS)), counted=len(scene.struck | migrated))
    tally("points", "counts that are off", asked=0, counted=sum(off.values()), of=off)
    assert off == {}


@pytest.mark.parametrize("together", [(point,) for point in BY_A_CREATION] if ALL else AT_ONCE, ids=", ".join)
def test_a_creation_is_kept_told_and_handled_once(scene: Scene, together: tuple[str, ...]) -> None:
    armed = [(BY_A_CREATION[point], point, scene.arm(BY_A_CREATION[point], point)) for point in together]
    asyncio.run(scene.create())
    for member, point, before in armed:
        scene.await_strike(member, point, before)
    assert scene.closed() == {}


@pytest.mark.parametrize("point", chosen(points.IDENTITY))
def test_a_revocation_is_told(scene: Scene, point: str) -> None:
    before = scene.arm("identity serve", point)
    asyncio.run(sign_out(scene))
    scene.await_strike("identity serve", point, before)
    assert scene.closed() == {}
    identity = scene.chain.databases["identity"]
    kept = books.value(identity, "SELECT count(*) FROM revocations")
    assert books.value(identity, "SELECT count(*) FROM outbox WHERE type = 'session.revoked.v1'") == kept


async def sign_out(scene: Scene) -> None:
    ledger = Ledger()
    async with signed_in(scene.chain, "salesperson_h2", ledger) as phone:
        await phone.ask("POST", "/v1/me:signOut", {})
    # Struck after its commit, it is asked again by a session that has ended.
    assert [told for told in ledger.surprises if "SESSION_REVOKED" not in told] == []


@pytest.mark.parametrize("point", chosen(points.IMPORT | points.RUN))
def test_an_import_is_done_once(scene: Scene, point: str) -> None:
    before = 0

    def strike() -> None:
        nonlocal before
        before = scene.arm("customers jobs", point)

    rows = ROWS if "failed" not in point else ROWS + 1
    done = asyncio.run(import_(scene, rows, at_first=point in points.IMPORT, strike=strike))
    scene.imported += ROWS
    assert (done["progress"]["created"], done["progress"].get("failed", 0)) == (ROWS, rows - ROWS)
    scene.await_strike("customers jobs", point, before)
    assert scene.closed() == {}


async def import_(scene: Scene, rows: int, *, at_first: bool, strike: Callable[[], None]) -> dict[str, dict[str, int]]:
    async with signed_in(scene.chain, "salesperson_s", scene.ledger, line=scene.line) as phone:
        if at_first:
            strike()
        found: dict[str, dict[str, int]] = await LongWork(phone).import_(
            rows, nameless=rows - ROWS, before_start=lambda: None if at_first else strike()
        )
        return found


@pytest.mark.parametrize("point", chosen(points.EXPORT))
def test_an_export_holds_each_row_once(scene: Scene, point: str) -> None:
    before = scene.arm("customers jobs", point)
    exported = asyncio.run(export(scene))
    assert len(exported) == len({row[0] for row in exported}) == scene.imported
    scene.await_strike("customers jobs", point, before)
    assert scene.closed() == {}


async def export(scene: Scene) -> list[list[str]]:
    async with signed_in(scene.chain, "manager_s", scene.ledger) as phone:
        return await LongWork(phone).export()


@pytest.mark.parametrize("point", chosen(points.FAILING))
def test_an_event_that_fails_is_parked_and_takes_effect_once_when_replayed(scene: Scene, point: str) -> None:
    before, probe = scene.arm("probe work", point), scene.chain.probe
    event = probe.write("ill")
    scene.await_strike("probe work", point, before)
    eventually(lambda: probe.depth("probe.parked") > 0, 30)
    eventually(lambda: probe.depth("probe.probe.note.written.v1") == 0, 30)
    heal(scene, str(event.id))
    assert probe.handled(event) == 1
    assert scene.closed() == {}


@pytest.mark.parametrize("point", chosen(points.REPLAY))
def test_a_replay_that_dies_is_done_again(scene: Scene, point: str) -> None:
    event = scene.chain.probe.write("ill")
    eventually(lambda: scene.chain.probe.depth("probe.parked") > 0, 30)
    heal(scene, str(event.id), fault=point)
    assert scene.chain.probe.handled(event) == 1
    assert scene.closed() == {}


def heal(scene: Scene, event_id: str, *, fault: str = "") -> None:
    """Mend what an event fails on, and send back whatever is parked until it is handled."""
    database = scene.chain.databases["probe"]
    with database.admin() as connection:
        connection.execute("UPDATE probe_notes SET text = 'well' WHERE text = 'ill'")
    if fault:
        scene.run(fault, "parked", "replay")
    assert books.run(scene.chain, "probe", "parked", "replay") == 0
    query = f"SELECT count(*) FROM inbox WHERE consumer = 'probe.probe.note.written.v1' AND event_id = '{event_id}'"
    eventually(lambda: books.value(database, query) == 1, 20)
    eventually(lambda: scene.chain.probe.depth("probe.parked") == 0, 20)


@pytest.mark.parametrize("point", chosen(points.BACKFILL))
def test_a_backfill_that_dies_is_begun_again(scene: Scene, point: str) -> None:
    asyncio.run(scene.create())
    assert scene.closed() == {}
    with scene.chain.databases["probe"].admin() as connection:
        connection.execute("UPDATE probe_customers SET version = 0, name = 'damaged'")
    assert books.run(scene.chain, "probe", "reconcile", "customer.changed.v1") == 1
    scene.run(point, "backfill", "customer.changed.v1")
    assert books.run(scene.chain, "probe", "backfill", "customer.changed.v1") == 0
    assert books.run(scene.chain, "probe", "reconcile", "customer.changed.v1") == 0
    assert scene.closed() == {}


@pytest.mark.parametrize("point", chosen(points.MIGRATE))
def test_a_migration_that_dies_is_done_again(servers: Servers, point: str) -> None:
    databases = Databases(servers.environment.postgres_url, slot="migrate")
    database = databases.bare("probe")
    env = process_environment("migrate", database)
    assert books.run_with(env, "probe", "migrate", fault=f"{point}:1") == STRUCK
    migrated[point] += 1
    assert books.run_with(env, "probe", "migrate") == 0
    assert migrate.drift(database.engine("owner"), METADATA) == []
    with database.engine("api").connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM probe_notes").scalar() == 0
    database.dispose()
    databases.close()
