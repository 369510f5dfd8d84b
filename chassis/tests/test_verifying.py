"""Whatever is edited, removed or cut off is found and named; an untouched trail verifies."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import seals
from chassis.testing import ServiceDatabase
from chassis.verifying import PAGE
from probe import trails
from probe.trails import Trail, faults

EDITS = {
    "id": "id + 1000000",
    "at": "at + interval '1 microsecond'",
    "actor_id": "gen_random_uuid()",
    "session_id": "NULL",
    "action": "'DeleteNote'",
    "resource": "'customer'",
    "resource_id": "''",
    "owner_id": "gen_random_uuid()",
    "unit_id": "gen_random_uuid()",
    "before": "NULL",
    "after": "jsonb_set(after, '{text}', '\"x\"')",
    "origin": "'127.0.0.1'",
    "trace_id": "''",
    "post_ids": "'{}'",
    "owner_ids": "array_append(owner_ids, NULL)",
    "unit_ids": "array_prepend(gen_random_uuid(), unit_ids)",
}


def test_an_untouched_trail_verifies(trail: Trail) -> None:
    trail.write_sealed(PAGE + 2)
    trail.write()
    assert trail.verify(trail.heads()) == []


def test_an_edited_row_is_named_with_its_record_and_moment(trail: Trail) -> None:
    edited = trail.write_sealed(3)[2]
    trail.tamper("UPDATE audit SET actor_id = gen_random_uuid() WHERE id = %s", edited)
    row: Any = trail.attacker.execute("SELECT resource_id, at::text FROM audit WHERE id = %s", (edited,)).fetchone()
    (found,) = trail.verify()
    assert faults([found]) == ["ROW_EDITED"]
    assert (found.seal, found.entry_id, found.resource, found.resource_id) == (2, edited, "note", row[0])
    assert str(edited) in str(found)
    assert row[0] in str(found)


@pytest.mark.parametrize("column", EDITS)
def test_an_edit_of_any_column_is_found(trail: Trail, column: str) -> None:
    edited = trail.write_sealed(1)[0]
    trail.tamper(f"UPDATE audit SET {column} = {EDITS[column]} WHERE id = %s", edited)
    assert edited in [finding.entry_id for finding in trail.verify()]


@pytest.mark.parametrize("moment", ["infinity", "20000-01-01Z", "2026-11-24 BC"])
def test_a_moment_no_clock_told_is_found(trail: Trail, moment: str) -> None:
    edited = trail.write_sealed(1)[0]
    trail.tamper("UPDATE audit SET at = %s WHERE id = %s", moment, edited)
    assert [finding.entry_id for finding in trail.verify()] == [edited]


def test_a_removed_row_is_named(trail: Trail) -> None:
    removed = trail.write_sealed(3)[3]
    trail.tamper("DELETE FROM audit WHERE id = %s", removed)
    (found,) = trail.verify()
    assert faults([found]) == ["ROW_REMOVED"]
    assert (found.seal, found.entry_id) == (2, removed)


def test_a_row_removed_before_it_was_sealed_is_named(trail: Trail) -> None:
    (removed,) = trail.write()
    trail.tamper("DELETE FROM audit WHERE id = %s", removed)
    seals.seal(trail.relay)
    (found,) = trail.verify()
    assert (faults([found]), found.entry_id) == (["ROW_REMOVED"], removed)


def test_a_removed_seal_is_named_and_so_are_its_rows(trail: Trail) -> None:
    ids = trail.write_sealed(3)
    trail.tamper("DELETE FROM audit_seals WHERE seq = 2")
    found = trail.verify()
    assert faults(found) == ["SEAL_REMOVED", "ROW_UNSEALED", "ROW_UNSEALED"]
    assert found[0].seal == 2
    assert [finding.entry_id for finding in found[1:]] == ids[2:4]


@pytest.mark.parametrize(
    "edit",
    [
        "row_hashes = overlay(row_hashes placing '\\x00' from 1 for 1)",
        "previous = sha256('x')",
        "hash = sha256('x')",
        "sealed_at = sealed_at - interval '1 day'",
        "sealed_at = 'infinity'",
        "version = 2",
        "audit_ids = audit_ids || NULL::bigint",
        "audit_ids = ARRAY[audit_ids]",
        "row_hashes = ''",
    ],
)
def test_an_edited_seal_is_named(trail: Trail, edit: str) -> None:
    trail.write_sealed(3)
    trail.tamper(f"UPDATE audit_seals SET {edit} WHERE seq = 2")
    assert 2 in [finding.seal for finding in trail.verify() if faults([finding]) == ["SEAL_EDITED"]]


def test_a_cut_off_tail_is_found_by_the_anchors(trail: Trail) -> None:
    trail.write_sealed(4)
    anchors = trail.heads()
    trail.tamper("DELETE FROM audit WHERE id IN (SELECT unnest(audit_ids) FROM audit_seals WHERE seq > 2)")
    trail.tamper("DELETE FROM audit_seals WHERE seq > 2")
    assert trail.verify() == []
    (found,) = trail.verify(anchors)
    assert (faults([found]), found.seal, str(found)) == (
        ["TAIL_CUT"],
        3,
        "TAIL_CUT: seals 3 to 4 are cut off the chain's end",
    )


def test_a_tail_cut_off_and_grown_again_is_found(trail: Trail) -> None:
    trail.write_sealed(3)
    anchors = trail.heads()
    trail.tamper("DELETE FROM audit WHERE id IN (SELECT unnest(audit_ids) FROM audit_seals WHERE seq = 3)")
    trail.tamper("DELETE FROM audit_seals WHERE seq = 3")
    trail.write_sealed(2)
    (found,) = trail.verify(anchors)
    assert (faults([found]), found.seal) == (["CHAIN_REWRITTEN"], 3)


def test_a_row_slipped_in_past_the_trigger_is_named(trail: Trail) -> None:
    (slipped,) = trail.write()
    trail.tamper("DELETE FROM audit_unsealed")
    (found,) = trail.verify()
    assert (faults([found]), found.entry_id) == (["ROW_UNSEALED"], slipped)


def test_a_row_that_waits_for_more_than_a_minute_is_named(trail: Trail) -> None:
    (waiting,) = trail.write()
    assert trail.verify() == []
    trail.tamper("UPDATE audit SET at = at - interval '2 minutes'")
    (found,) = trail.verify()
    assert (faults([found]), found.entry_id) == (["ROW_UNSEALED"], waiting)


def rewrite(trail: Trail, data: st.DataObject) -> None:
    """The strongest there is: edit a row and make every seal from there on anew."""
    chain = trail.attacker.execute("SELECT seq FROM audit_seals ORDER BY seq").fetchall()
    first = data.draw(st.integers(1, len(chain)))
    trail.tamper(
        "UPDATE audit SET origin = 'elsewhere' WHERE id = (SELECT audit_ids[1] FROM audit_seals WHERE seq = %s)", first
    )
    trail.tamper("INSERT INTO audit_unsealed SELECT unnest(audit_ids) FROM audit_seals WHERE seq >= %s", first)
    trail.tamper("DELETE FROM audit_seals WHERE seq >= %s", first)
    while seals.seal(trail.relay, limit=1):
        pass


def edit_row(trail: Trail, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(EDITS)))
    trail.tamper(f"UPDATE audit SET {column} = {EDITS[column]} WHERE id = %s", one_of_sealed(trail, data))


def remove_row(trail: Trail, data: st.DataObject) -> None:
    trail.tamper("DELETE FROM audit WHERE id = %s", one_of_sealed(trail, data))


def remove_seal(trail: Trail, data: st.DataObject) -> None:
    trail.tamper("DELETE FROM audit_seals WHERE seq = %s", data.draw(st.integers(1, len(trail.heads()))))


def flip_byte_of_seal(trail: Trail, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(["previous", "row_hashes", "hash"]))
    seq, at = data.draw(st.integers(1, len(trail.heads()))), data.draw(st.integers(0, 31))
    flipped = f"set_byte({column}, {at}, get_byte({column}, {at}) # 1)"
    trail.tamper(f"UPDATE audit_seals SET {column} = {flipped} WHERE seq = %s", seq)


def cut_off(trail: Trail, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(trail.heads())))
    trail.tamper("DELETE FROM audit WHERE id IN (SELECT unnest(audit_ids) FROM audit_seals WHERE seq >= %s)", first)
    trail.tamper("DELETE FROM audit_seals WHERE seq >= %s", first)


def one_of_sealed(trail: Trail, data: st.DataObject) -> int:
    found = trail.attacker.execute("SELECT unnest(audit_ids) FROM audit_seals ORDER BY 1")
    ids: list[int] = [row[0] for row in found]
    return data.draw(st.sampled_from(ids))


TAMPERINGS = (edit_row, remove_row, remove_seal, flip_byte_of_seal, cut_off, rewrite)


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_tampered_with_is_found(
    data: st.DataObject, service_database: Callable[[str], ServiceDatabase]
) -> None:
    with trails.opened(service_database("probe")) as trail:
        for rows in data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)):
            trail.write_sealed(1, rows=rows)
        anchors = trail.heads()
        assert trail.verify(anchors) == []
        data.draw(st.sampled_from(TAMPERINGS))(trail, data)
        assert trail.verify(anchors) != []
