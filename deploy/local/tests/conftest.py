"""An instance that only exists on paper."""

from pathlib import Path
from typing import Protocol

import pytest

from deploy.local.credentials import Credentials
from deploy.local.instance import Instance
from deploy.local.profiles import TEST, Profile


class MakeInstance(Protocol):
    def __call__(self, *, profile: Profile = TEST, given: dict[str, str] | None = None) -> Instance: ...


@pytest.fixture
def make_instance(tmp_path: Path) -> MakeInstance:
    def make(*, profile: Profile = TEST, given: dict[str, str] | None = None) -> Instance:
        credentials = Credentials(tmp_path / "secrets.json")
        return Instance(profile=profile, home=tmp_path, outside=given or {}, credentials=credentials)

    return make


@pytest.fixture
def instance(make_instance: MakeInstance) -> Instance:
    return make_instance()
