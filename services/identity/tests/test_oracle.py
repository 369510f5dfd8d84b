"""Grants of a day and the line of superiors, over generated organisations, against plain oracles."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.testing import FrozenClock, ServiceDatabase
from identity.bootstrap import Organisation, PersonSeed, PostSeed, TenureSeed, UnitSeed, plant
from identity.post import superiors
from identity.role.model import REALM_ROLES
from identity.session import grants
from tongxiao.identity.v1.unit_pb2 import UNIT_KIND_COMPANY

DAY = date(2026, 3, 1)
ROLES = ("salesperson", "supervisor", "manager", "director", "finance")
SEEDS = range(5)


def generated(random: Random) -> Organisation:
    """Some units in a random tree, posts and tenures on random days; heads and superiors at random."""
    units: list[UnitSeed] = []
    posts: list[PostSeed] = []
    ids, post_ids = [new_id() for _ in range(8)], [new_id() for _ in range(14)]
    for at, unit_id in enumerate(ids):
        head = random.choice([None, *post_ids])
        parent, kind = (ids[random.randrange(at)], 5) if at else (None, UNIT_KIND_COMPANY)
        units.append(UnitSeed(id=unit_id, code=f"u{at}", name="单元", kind=kind, parent_id=parent, head_post_id=head))
    for at, post_id in enumerate(post_ids):
        start, end = span(random)
        posts.append(
            PostSeed(
                id=post_id,
                code=f"p{at}",
                name="岗",
                role=random.choice(ROLES),
                unit_id=random.choice(ids),
                governed_unit_ids=tuple(random.sample(ids, random.randrange(3))),
                superior_post_id=random.choice([None, None, *post_ids]),
                start_on=start,
                end_on=end,
            )
        )
    people = [PersonSeed(number=f"n{at:03}", name="人", unit_id=ids[0]) for at in range(8)]
    pairs = random.sample([(post.id, person.id) for post in posts for person in people], 20)
    tenures = []
    for post_id, person_id in pairs:
        start, end = span(random)
        begin = start or DAY
        tenures.append(
            TenureSeed(
                post_id=post_id,
                employee_id=person_id,
                kind=random.choice((1, 2)),
                start_on=begin,
                end_on=end,
                main=False,
            )
        )
    return Organisation(units=units, posts=posts, people=people, tenures=tenures)


def span(random: Random) -> tuple[date | None, date | None]:
    first, last = sorted(DAY + timedelta(days=random.randrange(12)) for _ in range(2))
    return random.choice((None, first)), random.choice((None, last, last))


def valid(row: PostSeed | TenureSeed, on: date) -> bool:
    return (row.start_on is None or row.start_on <= on) and (row.end_on is None or on <= row.end_on)


def held(organisation: Organisation, person_id: UUID, on: date) -> set[tuple[UUID, UUID, frozenset[UUID]]]:
    """The oracle: posts valid on a day that a person holds by a tenure valid on it."""
    posts = {post.id: post for post in organisation.posts}
    return {
        (post.id, post.unit_id, frozenset(post.governed_unit_ids))
        for tenure in organisation.tenures
        for post in [posts[tenure.post_id]]
        if tenure.employee_id == person_id and valid(tenure, on) and valid(post, on)
    }


def acting(organisation: Organisation, post: PostSeed, on: date) -> set[UUID]:
    """The oracle: a post's holders on a day, else its deputies."""
    here = [t for t in organisation.tenures if t.post_id == post.id and valid(t, on) and valid(post, on)]
    holders = {tenure.employee_id for tenure in here if tenure.kind == 1}
    return holders or {tenure.employee_id for tenure in here}


def superior(organisation: Organisation, post: PostSeed, on: date) -> tuple[UUID | None, set[UUID], list[UUID]]:
    """The oracle: upward from post to post until somebody acts, never twice by the same post."""
    posts, units = {p.id: p for p in organisation.posts}, {u.id: u for u in organisation.units}
    skipped: list[UUID] = []
    at = post
    while True:
        above = at.superior_post_id
        unit: UnitSeed | None = units[at.unit_id]
        while above is None and unit is not None:
            above = unit.head_post_id if unit.head_post_id != at.id else None
            unit = units[unit.parent_id] if unit.parent_id else None
        if above is None or above == post.id or above in skipped:
            return None, set(), skipped
        at = posts[above]
        if people := acting(organisation, at, on):
            return at.id, people, skipped
        skipped.append(at.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_grants_and_superiors_of_each_day_are_the_oracles(
    service_database: Callable[[str], ServiceDatabase], frozen: FrozenClock, seed: int
) -> None:
    database, organisation = service_database("identity"), generated(Random(seed))
    plant(database.engine("worker"), organisation)
    for offset in range(-1, 14):
        on = DAY + timedelta(days=offset)
        frozen.set(datetime(on.year, on.month, on.day, 4, tzinfo=UTC))
        with Session(database.engine("worker")) as session:
            for person in organisation.people:
                found = grants.effective(session, person.id, REALM_ROLES)
                assert {(g.post_id, g.unit_id, frozenset(g.governs)) for g in found} == held(
                    organisation, person.id, on
                )
            for post in organisation.posts:
                above = superiors.superior_of(session, post.id)
                told = (above.post_id, set(above.employee_ids), above.skipped)
                assert told == superior(organisation, post, on)
