"""The closure of the unit tree against a walk in plain Python, and versions that follow each other."""

from collections.abc import Callable, Iterable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import organisation, outbox, schema
from chassis.envelope import Envelope
from chassis.errors import DomainError
from chassis.testing import ServiceDatabase
from tongxiao.identity.events.v1.events_pb2 import OrgChanged, OrgUnit, PersonChanged

UNITS = [UUID(int=number) for number in range(1, 9)]
# One version of the tree: units and the parent that each gets; circles and missing parents included.
changes = st.dictionaries(st.sampled_from(UNITS), st.none() | st.sampled_from(UNITS), min_size=1, max_size=4)


@pytest.fixture
def session(service_database: Callable[[str], ServiceDatabase]) -> Iterable[Session]:
    with Session(service_database("probe").engine("worker")) as session:
        yield session
        session.rollback()


def unit(id: UUID, parent: UUID | None) -> OrgUnit:
    return OrgUnit(id=str(id), parent_id=str(parent or ""), name=f"unit {id.int}", state="ACTIVE")


def ancestors(id: UUID, parents: dict[UUID, UUID | None]) -> list[UUID]:
    """The unit and those above it that are known, nearest first; each once."""
    chain: list[UUID] = []
    here: UUID | None = id
    while here in parents and here not in chain:
        chain.append(here)
        here = parents[here]
    return chain


def closure(session: Session) -> set[tuple[UUID, UUID, int]]:
    return {tuple(row) for row in session.execute(select(schema.org_closure))}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(changes, min_size=1, max_size=6))
def test_the_closure_is_what_a_walk_finds(session: Session, versions: list[dict[UUID, UUID | None]]) -> None:
    parents: dict[UUID, UUID | None] = {}
    for number, version in enumerate(versions, start=1):
        parents.update(version)
        organisation.apply_units(session, number, [unit(id, parent) for id, parent in version.items()])
        expected = {(a, id, depth) for id in parents for depth, a in enumerate(ancestors(id, parents))}
        assert closure(session) == expected
    session.rollback()


def test_a_gap_is_not_yet_known(session: Session) -> None:
    with pytest.raises(DomainError) as refused:
        organisation.apply_units(session, 2, [unit(UNITS[0], None)])
    assert refused.value.reason == "NOT_YET_KNOWN"


def told(version: int, id: UUID, parent: UUID | None = None) -> Envelope:
    data = OrgChanged(tree_version=version, units=[unit(id, parent)])
    return outbox.state("identity", "org.changed.v1", data, subject=UUID(int=0), version=version)


def test_versions_that_come_early_are_taken_over_when_their_turn_has_come(session: Session) -> None:
    for version, unit_id, parent in ((4, UNITS[3], None), (3, UNITS[2], UNITS[0]), (2, UNITS[1], UNITS[0])):
        organisation.org_changed(session, told(version, unit_id, parent))
        organisation.org_changed(session, told(version, unit_id, parent))
    assert closure(session) == set()
    organisation.org_changed(session, told(1, UNITS[0]))
    assert organisation.locked_version(session) == 4
    below = {(UNITS[0], UNITS[1], 1), (UNITS[0], UNITS[2], 1)}
    assert closure(session) == below | {(id, id, 0) for id in UNITS[:4]}
    assert early(session) == []


def test_what_came_early_follows_a_whole_tree_at_the_next_event(session: Session) -> None:
    for version, unit_id in ((2, UNITS[1]), (6, UNITS[2]), (8, UNITS[3])):
        assert organisation.org_changed(session, told(version, unit_id)) == []
    assert organisation.replace_units(session, 5, [unit(UNITS[0], None)])
    taken = organisation.org_changed(session, told(3, UNITS[4]))
    assert [each.tree_version for each in taken] == [3, 2, 6]
    assert closure(session) == {(UNITS[0], UNITS[0], 0), (UNITS[2], UNITS[2], 0)}
    assert early(session) == [8]


def test_what_came_early_during_a_backfill_is_taken_over_by_the_version_after_it(session: Session) -> None:
    organisation.org_changed(session, told(6, UNITS[1]))
    organisation.replace_units(session, 5, [unit(UNITS[0], None)])
    taken = organisation.org_changed(session, told(7, UNITS[2]))
    assert [each.tree_version for each in taken] == [6, 7]
    assert organisation.locked_version(session) == 7
    assert early(session) == []


def early(session: Session) -> list[int]:
    """The versions that still wait for their turn."""
    return sorted(session.scalars(select(schema.org_early.c.tree_version)))


def test_an_older_version_changes_nothing(session: Session) -> None:
    assert organisation.apply_units(session, 1, [unit(UNITS[0], None)])
    assert not organisation.apply_units(session, 1, [unit(UNITS[1], None)])
    assert closure(session) == {(UNITS[0], UNITS[0], 0)}


def test_a_whole_tree_replaces_what_was_damaged(session: Session) -> None:
    organisation.apply_units(session, 1, [unit(UNITS[0], None), unit(UNITS[1], UNITS[0])])
    assert organisation.replace_units(session, 7, [unit(UNITS[1], None)])
    assert closure(session) == {(UNITS[1], UNITS[1], 0)}
    assert organisation.apply_units(session, 8, [unit(UNITS[2], UNITS[1])])


def test_the_newest_state_of_a_person_stays(session: Session) -> None:
    person = PersonChanged(id=str(UNITS[0]), name="王芳", state="ACTIVE", unit_id=str(UNITS[1]))
    assert organisation.apply_person(session, person, 2)
    assert not organisation.apply_person(session, PersonChanged(id=str(UNITS[0]), name="older"), 1)
    assert session.execute(select(schema.org_people.c.name)).scalar_one() == "王芳"


def test_who_is_gone_does_not_come_back(session: Session) -> None:
    organisation.forget_person(session, UNITS[0], 3)
    assert not organisation.apply_person(session, PersonChanged(id=str(UNITS[0]), name="王芳"), 2)
    assert session.execute(select(schema.org_people.c.name, schema.org_people.c.state)).one() == ("", "GONE")
