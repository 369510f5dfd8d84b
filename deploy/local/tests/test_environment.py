"""What tests and the seeder are told, and what an address given from outside changes."""

import pytest

from deploy.local import environment
from deploy.local.parts import keycloak, postgres, rabbitmq
from deploy.local.profiles import RUN
from deploy.local.tests.conftest import MakeInstance


def test_tests_are_told_every_part(make_instance: MakeInstance) -> None:
    assert set(environment.variables(make_instance())) == {
        "TONGXIAO_ENVIRONMENT",
        "TONGXIAO_POSTGRES_URL",
        "TONGXIAO_BROKER_URL",
        "TONGXIAO_BROKER_MANAGEMENT_URL",
        "TONGXIAO_KEYCLOAK_URL",
        "TONGXIAO_KEYCLOAK_REALM",
        "TONGXIAO_KEYCLOAK_ADMIN",
        "TONGXIAO_KEYCLOAK_ADMIN_PASSWORD",
        "TONGXIAO_KEYCLOAK_CLIENT_ID",
        "TONGXIAO_KEYCLOAK_CLIENT_SECRET",
        "TONGXIAO_ISSUER",
    }


def test_the_whole_product_tells_its_services_too(make_instance: MakeInstance) -> None:
    variables = environment.variables(make_instance(profile=RUN))

    assert variables["TONGXIAO_IDENTITY_TARGET"] == f"127.0.0.1:{RUN.base + 100}"
    assert variables["TONGXIAO_GATEWAY_URL"] == f"http://localhost:{RUN.base}"


@pytest.mark.parametrize(
    ("part", "variable"),
    [
        (postgres, "TONGXIAO_POSTGRES_URL"),
        (rabbitmq, "TONGXIAO_BROKER_URL"),
        (keycloak, "TONGXIAO_KEYCLOAK_URL"),
    ],
)
def test_a_part_given_from_outside_is_not_started(make_instance: MakeInstance, part: object, variable: str) -> None:
    given = make_instance(given={variable: "scheme://elsewhere.example:1234/path"})

    assert part.programs(given) == ()  # type: ignore[attr-defined]
    assert environment.variables(given)[variable] == "scheme://elsewhere.example:1234/path"


def test_the_issuer_follows_the_given_keycloak(make_instance: MakeInstance) -> None:
    given = make_instance(given={"TONGXIAO_KEYCLOAK_URL": "https://id.example"})

    assert environment.variables(given)["TONGXIAO_ISSUER"] == "https://id.example/realms/tongxiao"
