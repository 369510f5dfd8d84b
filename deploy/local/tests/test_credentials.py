"""Secrets: random, stable, private."""

import stat
from pathlib import Path

from deploy.local.credentials import Credentials, write_private


def test_a_secret_stays_the_same_over_restarts(tmp_path: Path) -> None:
    first = Credentials(tmp_path / "secrets.json").secret("database")

    assert Credentials(tmp_path / "secrets.json").secret("database") == first


def test_every_name_has_its_own_secret(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "secrets.json")

    assert credentials.secret("database") != credentials.secret("broker")


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    Credentials(tmp_path / "secrets.json").secret("database")

    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_file_that_was_open_to_all_is_closed_when_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
