"""The demo's organisation: headquarters, 4 regions, 12 branches, 40 teams and about 300 people with their posts."""

import random
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_OID, UUID, uuid5

from demo import words
from identity.bootstrap import Organisation, PersonSeed, PostSeed, TenureSeed, UnitSeed
from tongxiao.identity.v1.unit_pb2 import (
    UNIT_KIND_BRANCH,
    UNIT_KIND_COMPANY,
    UNIT_KIND_REGION,
    UNIT_KIND_TEAM,
)

# The first so many branches have four teams, the others three.
LARGE_BRANCHES, LARGE_TEAMS = 4, 20
LEADING = ("director", "manager", "supervisor")


@dataclass(frozen=True)
class Seller:
    """A salesperson: where they sell, and in which branch's districts."""

    id: UUID
    unit_id: UUID
    branch: str


@dataclass
class Company:
    """The organisation, its sellers, and one username per role for signing in."""

    units: list[UnitSeed] = field(default_factory=list)
    posts: list[PostSeed] = field(default_factory=list)
    people: list[PersonSeed] = field(default_factory=list)
    tenures: list[TenureSeed] = field(default_factory=list)
    sellers: list[Seller] = field(default_factory=list)
    sign_ins: dict[str, str] = field(default_factory=dict)

    def organisation(self) -> Organisation:
        return Organisation(units=self.units, posts=self.posts, people=self.people, tenures=self.tenures)

    def unit(self, code: str, name: str, kind: int, parent: UUID | None) -> UUID:
        made = UnitSeed(id=stable("unit", code), code=code, name=name, kind=kind, parent_id=parent)
        self.units.append(made)
        return made.id

    def appoint(self, dice: random.Random, role: str, title: str, unit: UUID, *, governs: bool) -> UUID:
        """A person in a new post; the first in a role is the one to sign in as, the first who leads a unit its head."""
        number = f"E{len(self.people) + 1:04}"
        username = f"{role}{sum(person.username.startswith(role) for person in self.people) + 1}"
        person = PersonSeed(
            id=stable("person", number),
            number=number,
            name=name(dice),
            username=username,
            email=f"{username}@example.com",
            mobile=f"+86199000{len(self.people):05}",
            unit_id=unit,
        )
        post = PostSeed(
            id=stable("post", number),
            code=f"P{number}",
            name=title,
            role=role,
            unit_id=unit,
            governed_unit_ids=(unit,) if governs else (),
        )
        self.people.append(person)
        self.posts.append(post)
        self.tenures.append(TenureSeed(id=stable("tenure", number), post_id=post.id, employee_id=person.id))
        self.sign_ins.setdefault(role, username)
        if role in LEADING:
            self._head(unit, post.id)
        return person.id

    def _head(self, unit_id: UUID, post_id: UUID) -> None:
        at = next(at for at, unit in enumerate(self.units) if unit.id == unit_id)
        if self.units[at].head_post_id is None:
            self.units[at] = replace(self.units[at], head_post_id=post_id)


def stable(kind: str, code: str) -> UUID:
    """The same id for the same thing in every installation."""
    return uuid5(NAMESPACE_OID, f"tongxiao demo {kind} {code}")


def name(dice: random.Random) -> str:
    return dice.choice(words.SURNAMES) + "".join(dice.sample(words.GIVEN, dice.choice((1, 2, 2))))


def build(dice: random.Random) -> Company:
    """The whole company."""
    company = Company()
    root = company.unit("HQ", "通销示范集团", UNIT_KIND_COMPANY, None)
    company.appoint(dice, "director", "销售总监", root, governs=True)
    for role, title, count in (
        ("admin", "系统管理员", 3),
        ("finance", "财务专员", 3),
        ("knowledge_editor", "知识编辑", 2),
    ):
        for _ in range(count):
            company.appoint(dice, role, title, root, governs=True)
    branches = 0
    for at, (region, cities) in enumerate(words.REGIONS.items(), start=1):
        area = company.unit(f"R{at}", f"{region}大区", UNIT_KIND_REGION, root)
        company.appoint(dice, "director", f"{region}大区总监", area, governs=True)
        for city in cities:
            branches += 1
            _branch(company, dice, area, city, branches)
    return company


def _branch(company: Company, dice: random.Random, region: UUID, city: str, number: int) -> None:
    branch = company.unit(f"B{number:02}", f"{city}分公司", UNIT_KIND_BRANCH, region)
    company.appoint(dice, "manager", f"{city}分公司经理", branch, governs=True)
    company.appoint(dice, "finance", f"{city}分公司财务", branch, governs=True)
    for at in range(1, (4 if number <= LARGE_BRANCHES else 3) + 1):
        team = company.unit(f"B{number:02}-T{at}", f"{city}销售{'一二三四'[at - 1]}组", UNIT_KIND_TEAM, branch)
        company.appoint(dice, "supervisor", "销售主管", team, governs=True)
        teams = sum(unit.kind == UNIT_KIND_TEAM for unit in company.units)
        for _ in range(6 if teams <= LARGE_TEAMS else 5):
            person = company.appoint(dice, "salesperson", "业务员", team, governs=False)
            company.sellers.append(Seller(person, team, city))
