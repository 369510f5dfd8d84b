"""The first stage's pure parts: stamps, the pinned installer, workspace members, Maven's folders."""

from pathlib import Path

import pytest

from deploy.local.bootstrap import keycloak, stamps, virtualenv
from deploy.local.paths import LOCK, ROOT
from deploy.local.progress import SetupError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_text("one")
    return path


def test_a_stamp_is_fresh_until_a_file_changes(source: Path, tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamps.write(stamp, stamps.fingerprint([source]))
    assert stamps.is_fresh(stamp, stamps.fingerprint([source]))

    source.write_text("two")

    assert not stamps.is_fresh(stamp, stamps.fingerprint([source]))


def test_a_stamp_that_does_not_exist_is_not_fresh(tmp_path: Path) -> None:
    assert not stamps.is_fresh(tmp_path / "stamp", "value")


def test_the_same_files_elsewhere_have_another_fingerprint(source: Path) -> None:
    assert stamps.fingerprint([source], salt="a") != stamps.fingerprint([source], salt="b")


def test_the_locked_installer_comes_with_its_hashes() -> None:
    requirement = virtualenv.uv_requirement(LOCK.read_text())

    assert requirement.startswith("uv==")
    assert requirement.count("\nuv") == 0
    assert "--hash=sha256:" in requirement


def test_only_the_installer_is_taken_from_the_lock() -> None:
    lock = "a==1 \\\n    --hash=sha256:0\nuv==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\nuvicorn==3\n"

    assert virtualenv.uv_requirement(lock) == "uv==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"


def test_a_lock_without_the_installer_says_what_to_do() -> None:
    with pytest.raises(SetupError, match="does not pin uv"):
        virtualenv.uv_requirement("uvicorn==3\n")


def test_members_come_from_the_workspace() -> None:
    members = virtualenv.members()

    assert ROOT / "chassis" in members
    assert ROOT / "services" / "identity" in members


def test_an_artifact_lies_where_maven_puts_it() -> None:
    assert keycloak.DISTRIBUTION.path.name == "keycloak-quarkus-dist-26.7.4.zip"
    assert keycloak.DISTRIBUTION.coordinates == "org.keycloak:keycloak-quarkus-dist:26.7.4:zip"
