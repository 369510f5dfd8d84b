"""The first organisation: planted whole, once, and told to others like any change."""

from collections.abc import Callable

import pytest

from chassis.errors import DomainError
from chassis.ids import new_id
from chassis.testing import ServiceDatabase
from identity.bootstrap import Organisation, PersonSeed, PostSeed, TenureSeed, UnitSeed, first, plant
from tongxiao.identity.v1.unit_pb2 import UNIT_KIND_COMPANY

from .conftest import Company, company


def test_an_empty_database_gets_a_company_and_its_administrator(
    service_database: Callable[[str], ServiceDatabase],
) -> None:
    engine = service_database("identity").engine("worker")
    organisation = first(company="通销公司", admin="管理员", username="admin")
    assert plant(engine, organisation) is True
    assert plant(engine, organisation) is False


def test_there_is_one_company(firm: Company) -> None:
    with pytest.raises(DomainError) as refused:
        plant(firm.database.engine("worker"), company()[0])
    assert refused.value.reason == "COMPANY_EXISTS"


def test_what_is_planted_is_told(firm: Company) -> None:
    assert len(firm.events("person.changed.v1")) == len(firm.person)
    told = [unit["code"] for event in firm.events("org.changed.v1") for unit in event["units"]]
    assert told[0] == "hq"
    assert set(told) == set(firm.unit)
    assert len(firm.rows("SELECT 1 FROM org_closure")) == 1 + 2 * 2 + 3 * 3


def test_thousands_of_units_are_planted_in_versions_that_fit_an_event(
    service_database: Callable[[str], ServiceDatabase],
) -> None:
    database = service_database("identity")
    plant(database.engine("worker"), large(units=1000))
    with database.engine("owner").connect() as connection:
        count = "SELECT tree_version, (SELECT count(*) FROM org_units) FROM org_state"
        assert tuple(connection.exec_driver_sql(count).one()) == (3, 1001)


def large(*, units: int) -> Organisation:
    """A company of many units, ten below each, with somebody in every one."""
    root = UnitSeed(code="root", name="公司", kind=UNIT_KIND_COMPANY)
    ids = [root.id, *(new_id() for _ in range(units))]
    seeds = [root]
    seeds += [
        UnitSeed(id=ids[at], code=f"u{at}", name=f"组{at}", parent_id=ids[(at - 1) // 10]) for at in range(1, units + 1)
    ]
    posts = [PostSeed(code=f"p{at}", name="岗", role="salesperson", unit_id=unit_id) for at, unit_id in enumerate(ids)]
    people = [PersonSeed(number=f"n{at:05}", name="人", unit_id=unit_id) for at, unit_id in enumerate(ids)]
    tenures = [TenureSeed(post_id=post.id, employee_id=person.id) for post, person in zip(posts, people, strict=True)]
    return Organisation(units=seeds, posts=posts, people=people, tenures=tenures)
