"""The first organisation, planted into an empty database without a caller: for new installations, demos and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from chassis import audit, clock
from chassis.database import transaction
from chassis.ids import new_id
from identity.employee import facts, people
from identity.employee import operations as employees
from identity.employee.model import Employee
from identity.post.model import Post, PostUnit, Tenure
from identity.refusals import refuse
from identity.role.seeds import role_id
from identity.unit import operations as units
from identity.unit import queries, tree
from identity.unit.model import Unit, UnitParent
from tongxiao.identity.v1.post_pb2 import TENURE_KIND_HOLDER
from tongxiao.identity.v1.unit_pb2 import UNIT_KIND_COMPANY, UNIT_KIND_TEAM

# Before anything the company could have recorded: the first tree holds on every day.
EVER = date(2000, 1, 1)


@dataclass(frozen=True, kw_only=True)
class UnitSeed:
    """A unit; the one without parent is the company."""

    code: str
    name: str
    id: UUID = field(default_factory=new_id)
    name_en: str = ""
    kind: int = UNIT_KIND_TEAM
    parent_id: UUID | None = None
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    head_post_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class PostSeed:
    """A post with a role by its code, such as "manager", or by its id."""

    code: str
    name: str
    role: str | UUID
    unit_id: UUID
    id: UUID = field(default_factory=new_id)
    name_en: str = ""
    governed_unit_ids: tuple[UUID, ...] = ()
    superior_post_id: UUID | None = None
    start_on: date | None = None
    end_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class PersonSeed:
    """An employee at work; `unit_id` looks after the record while they hold no post."""

    number: str
    name: str
    unit_id: UUID
    id: UUID = field(default_factory=new_id)
    name_en: str = ""
    username: str = ""
    email: str = ""
    mobile: str = ""
    locale: str = "zh-CN"
    hire_on: date = EVER


@dataclass(frozen=True, kw_only=True)
class TenureSeed:
    """A tenure; the main one unless told."""

    post_id: UUID
    employee_id: UUID
    id: UUID = field(default_factory=new_id)
    kind: int = TENURE_KIND_HOLDER
    start_on: date = EVER
    end_on: date | None = None
    main: bool = True


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What is planted together."""

    units: Sequence[UnitSeed]
    posts: Sequence[PostSeed] = ()
    people: Sequence[PersonSeed] = ()
    tenures: Sequence[TenureSeed] = ()


def plant(engine: Engine, organisation: Organisation) -> bool:
    """Plant a whole organisation, in one transaction, and tell others; False where this very company is there already.

    The audit trail gets one row for it all. `engine` signs in as the worker or the owner. Rights are not checked, nor
    is who is superior to whom. Refuses COMPANY_EXISTS where there is another company, and wrong zones, currencies,
    numbers and sign-in names.
    """
    with transaction(engine, action="bootstrap", audit=False) as session:
        queries.lock_tree(session)
        ordered = _parents_first(organisation.units)
        present = queries.company(session)
        if present:
            if present.id == ordered[0].id:
                return False
            raise refuse("COMPANY_EXISTS")
        _plant_units(session, ordered)
        _plant_people(session, organisation.people)
        _plant_posts(session, organisation.posts)
        _plant_tenures(session, organisation.tenures)
        people.announce(session, [person.id for person in organisation.people])
        audit.record(session, "bootstrap", session.get_one(Unit, ordered[0].id), _sizes(organisation))
    return True


def first(*, company: str, admin: str, username: str, time_zone: str = "Asia/Shanghai") -> Organisation:
    """The smallest organisation there is: a company, and an administrator over it."""
    root = UnitSeed(code="HQ", name=company, kind=UNIT_KIND_COMPANY, time_zone=time_zone)
    post = PostSeed(code="ADMIN", name="系统管理员", role="admin", unit_id=root.id, governed_unit_ids=(root.id,))
    person = PersonSeed(number=username, name=admin, username=username, unit_id=root.id)
    tenure = TenureSeed(post_id=post.id, employee_id=person.id)
    return Organisation(units=[root], posts=[post], people=[person], tenures=[tenure])


def keycloak_ids(engine: Engine) -> dict[UUID, str | None]:
    """Everybody's id at Keycloak, nothing for those it has not been told of: for giving first passwords."""
    with Session(engine) as session:
        return dict(session.execute(select(Employee.id, Employee.keycloak_id)).all())


def _sizes(organisation: Organisation) -> dict[str, int]:
    return {name: len(getattr(organisation, name)) for name in ("units", "posts", "people", "tenures")}


def _parents_first(units_: Sequence[UnitSeed]) -> list[UnitSeed]:
    """Units by depth; refuses COMPANY_EXISTS where there is more than one without parent, or a circle."""
    below: dict[UUID | None, list[UnitSeed]] = {}
    for unit in units_:
        below.setdefault(unit.parent_id, []).append(unit)
    ordered = list(below.get(None, ()))
    if len(ordered) != 1:
        raise refuse("COMPANY_EXISTS")
    for unit in ordered:
        ordered += below.get(unit.id, ())
    if len(ordered) < len(units_):
        raise refuse("PARENT_UNKNOWN")
    return ordered


def _plant_units(session: Session, ordered: Sequence[UnitSeed]) -> None:
    made = [units.build(seed.id, _values(seed)) for seed in ordered]
    for at in range(0, len(made), tree.STEP):
        part = made[at : at + tree.STEP]
        session.add_all(part)
        tree.publish(session, part)
    _keep(session, [_stretch(unit) for unit in made])


def _stretch(unit: Unit) -> UnitParent:
    return UnitParent(unit_id=unit.id, parent_id=unit.parent_id, start_on=EVER, end_on=None)


def _plant_people(session: Session, seeds: Sequence[PersonSeed]) -> None:
    _keep(session, [employees.build(seed.id, _record(seed), unit_id=seed.unit_id) for seed in seeds])


def _plant_posts(session: Session, seeds: Sequence[PostSeed]) -> None:
    now = clock.now()
    made = []
    for seed in seeds:
        values = _values(seed, without=("role",))
        values["role_id"] = role_id(seed.role) if isinstance(seed.role, str) else seed.role
        values["governed_unit_ids"] = sorted(seed.governed_unit_ids)
        made.append(Post(id=seed.id, version=1, created_at=now, updated_at=now, **values))
    superiors = {post.id: post.superior_post_id for post in made}
    for post in made:
        post.superior_post_id = None
    _keep(session, made)
    for post in made:
        post.superior_post_id = superiors[post.id]
    _keep(session, [PostUnit(post_id=post.id, unit_id=post.unit_id, start_on=None, end_on=None) for post in made])


def _plant_tenures(session: Session, seeds: Sequence[TenureSeed]) -> None:
    now = clock.now()
    _keep(session, [Tenure(id=seed.id, version=1, created_at=now, **_values(seed)) for seed in seeds])


def _keep(session: Session, rows: Sequence[Any]) -> None:
    session.add_all(rows)
    session.flush()


def _record(seed: PersonSeed) -> dict[str, Any]:
    return facts.checked(_values(seed, without=("unit_id",)), number=seed.number)


def _values(seed: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    return {name: value for name, value in vars(seed).items() if name not in ("id", *without)}
