"""Each process struck at each chosen point, once: the work is done all the same, and all the books are right."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from chassis import migrate
from chassis.testing import Databases, eventually, process_environment
from probe import points
from probe.model import METADATA

from . import books
from .chain import Chain
from .long_work import LongWork
from .phones import Ledger, new_line, signed_in
from .servers import Servers

STRUCK = -signal.SIGKILL
ROWS = 250


class Scene:
    """The chain, and what it has answered for so far."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.ledger, self.imported = chain, Ledger(), 0
        self.line = asyncio.run(new_line(chain))

    def strike(self, member: str, point: str) -> int:
        """Arm a process; how often it has been struck before."""
        found = self.chain.members[member]
        before = found.exits.count(STRUCK)
        found.arm(f"{point}:1")
        return before + 1

    def struck(self, member: str, before: int) -> bool:
        return self.chain.members[member].exits.count(STRUCK) > before

    async def create(self) -> None:
        async with signed_in(self.chain, "salesperson_h", self.ledger, line=self.line) as phone:
            await phone.create()

    def closed(self) -> dict[str, int]:
        books.settled(self.chain)
        return books.close(self.chain, self.ledger, imported=self.imported, trails=False)


@pytest.fixture(scope="module")
def scene(open_chain: Callable[..., AbstractContextManager[Chain]]) -> Iterator[Scene]:
    with open_chain("points", TONGXIAO_RETRY_DELAYS_S="[0.1, 0.4]") as chain:
        found = Scene(chain)
        yield found
        books.settled(chain)
        assert books.close(chain, found.ledger, imported=found.imported) == {}


BY_A_CREATION = {
    **dict.fromkeys(points.API, "customers serve"),
    **dict.fromkeys(points.RELAY, "customers relay"),
    **dict.fromkeys(points.SEALER, "customers relay"),
    **dict.fromkeys(points.WORKER, "probe work"),
    **dict.fromkeys(points.GATEWAY, "gateway serve"),
}


@pytest.mark.parametrize("point", BY_A_CREATION)
def test_a_creation_is_kept_told_and_handled_once(scene: Scene, point: str) -> None:
    member = BY_A_CREATION[point]
    before = scene.strike(member, point)
    asyncio.run(scene.create())
    eventually(lambda: scene.struck(member, before), 20)
    assert scene.closed() == {}


@pytest.mark.parametrize("point", points.IDENTITY)
def test_a_revocation_is_told(scene: Scene, point: str) -> None:
    before = scene.strike("identity serve", point)
    asyncio.run(sign_out(scene))
    eventually(lambda: scene.struck("identity serve", before), 20)
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


@pytest.mark.parametrize("point", points.IMPORT | points.RUN)
def test_an_import_is_done_once(scene: Scene, point: str) -> None:
    before = 0

    def strike() -> None:
        nonlocal before
        before = scene.strike("customers jobs", point)

    rows = ROWS if "failed" not in point else ROWS + 1
    done = asyncio.run(import_(scene, rows, at_first=point in points.IMPORT, strike=strike))
    scene.imported += ROWS
    assert (done["progress"]["created"], done["progress"].get("failed", 0)) == (ROWS, rows - ROWS)
    eventually(lambda: scene.struck("customers jobs", before), 20)
    assert scene.closed() == {}


async def import_(scene: Scene, rows: int, *, at_first: bool, strike: Callable[[], None]) -> dict[str, dict[str, int]]:
    async with signed_in(scene.chain, "salesperson_s", scene.ledger, line=scene.line) as phone:
        if at_first:
            strike()
        found: dict[str, dict[str, int]] = await LongWork(phone).import_(
            rows, nameless=rows - ROWS, before_start=lambda: None if at_first else strike()
        )
        return found


@pytest.mark.parametrize("point", points.EXPORT)
def test_an_export_holds_each_row_once(scene: Scene, point: str) -> None:
    before = scene.strike("customers jobs", point)
    exported = asyncio.run(export(scene))
    assert len(exported) == len({row[0] for row in exported}) == scene.imported
    eventually(lambda: scene.struck("customers jobs", before), 20)
    assert scene.closed() == {}


async def export(scene: Scene) -> list[list[str]]:
    async with signed_in(scene.chain, "manager_s", scene.ledger) as phone:
        return await LongWork(phone).export()


@pytest.mark.parametrize("point", points.FAILING)
def test_an_event_that_fails_is_parked_and_takes_effect_once_when_replayed(scene: Scene, point: str) -> None:
    before, probe = scene.strike("probe work", point), scene.chain.probe
    event = probe.write("ill")
    eventually(lambda: scene.struck("probe work", before), 20)
    eventually(lambda: probe.depth("probe.parked") > 0, 30)
    eventually(lambda: probe.depth("probe.probe.note.written.v1") == 0, 30)
    heal(scene.chain, str(event.id))
    assert probe.handled(event) == 1
    assert scene.closed() == {}


@pytest.mark.parametrize("point", points.REPLAY)
def test_a_replay_that_dies_is_done_again(scene: Scene, point: str) -> None:
    event = scene.chain.probe.write("ill")
    eventually(lambda: scene.chain.probe.depth("probe.parked") > 0, 30)
    heal(scene.chain, str(event.id), fault=f"{point}:1")
    assert scene.chain.probe.handled(event) == 1
    assert scene.closed() == {}


def heal(chain: Chain, event_id: str, *, fault: str = "") -> None:
    """Mend what an event fails on, and send back whatever is parked until it is handled."""
    with chain.databases["probe"].admin() as connection:
        connection.execute("UPDATE probe_notes SET text = 'well' WHERE text = 'ill'")
    if fault:
        assert books.run(chain, "probe", "parked", "replay", fault=fault) == STRUCK
    assert books.run(chain, "probe", "parked", "replay") == 0
    query = f"SELECT count(*) FROM inbox WHERE consumer = 'probe.probe.note.written.v1' AND event_id = '{event_id}'"
    eventually(lambda: books.value(chain.databases["probe"], query) == 1, 20)
    eventually(lambda: chain.probe.depth("probe.parked") == 0, 20)


@pytest.mark.parametrize("point", points.BACKFILL)
def test_a_backfill_that_dies_is_begun_again(scene: Scene, point: str) -> None:
    asyncio.run(scene.create())
    assert scene.closed() == {}
    with scene.chain.databases["probe"].admin() as connection:
        connection.execute("UPDATE probe_customers SET version = 0, name = 'damaged'")
    assert books.run(scene.chain, "probe", "reconcile", "customer.changed.v1") == 1
    assert books.run(scene.chain, "probe", "backfill", "customer.changed.v1", fault=f"{point}:1") == STRUCK
    assert books.run(scene.chain, "probe", "backfill", "customer.changed.v1") == 0
    assert books.run(scene.chain, "probe", "reconcile", "customer.changed.v1") == 0
    assert scene.closed() == {}


@pytest.mark.parametrize("point", points.MIGRATE)
def test_a_migration_that_dies_is_done_again(servers: Servers, point: str) -> None:
    databases = Databases(servers.environment.postgres_url, slot="migrate")
    database = databases.bare("probe")
    env = process_environment("migrate", database)
    assert books.run_with(env, "probe", "migrate", fault=f"{point}:1") == STRUCK
    assert books.run_with(env, "probe", "migrate") == 0
    assert migrate.drift(database.engine("owner"), METADATA) == []
    with database.engine("api").connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM probe_notes").scalar() == 0
    database.dispose()
    databases.close()
