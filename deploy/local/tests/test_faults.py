"""The long runs: one that fails ends none of the others, and the table says so."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from chassis.testing import tallies
from deploy.local import faults


def test_a_part_that_fails_ends_none_of_the_others(tmp_path: Path) -> None:
    def storm_fails(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        return int("tests/faults/test_storm.py" in arguments)

    ended = faults.through(list(faults.PARTS), storm_fails, tmp_path / "figures")
    assert {name: part.status for name, part in ended.items()} == {**dict.fromkeys(faults.PARTS, 0), "storm": 1}
    assert "storm      failed in 0 min" in faults.report(ended, tmp_path / "figures")


def test_the_figures_of_all_parts_stand_in_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def count(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        monkeypatch.setenv(tallies.VARIABLE, variables[tallies.VARIABLE])
        tallies.keep(Path(arguments[0]).stem, "writes", asked=20_000, counted=20_012, of={"new": 9_000})
        return 0

    monkeypatch.setattr(tallies, "kept", [])
    ended = faults.through(["storm", "fuzz"], count, tmp_path / "figures")
    lines = [" ".join(line.split()) for line in faults.report(ended, tmp_path / "figures")]
    assert lines == [
        "part figure asked counted",
        "test_storm writes 20,000 20,012 9,000 new",
        "test_fuzz writes 20,000 20,012 9,000 new",
        "storm passed in 0 min",
        "fuzz passed in 0 min",
    ]


def test_a_length_that_is_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}

    def note(_arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        told.update(variables)
        return 0

    monkeypatch.setenv("FAULTS_WRITES", "300")
    faults.through(["storm"], note, tmp_path / "figures")
    assert (told["FAULTS_WRITES"], told["FAULTS"]) == ("300", "200")
