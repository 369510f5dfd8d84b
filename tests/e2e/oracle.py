"""Who gets at what, said as plainly as can be: roles' permissions from identity's seeds, reach from the posts."""

from collections.abc import Iterator
from dataclasses import dataclass

from identity.role.seeds import FIRST, GRANTED_WITH_DUPLICATES, GRANTED_WITH_LONG_WORK

from .platform import ROLES, UNITS, roles_of

LATER = (*GRANTED_WITH_LONG_WORK, *GRANTED_WITH_DUPLICATES)
PERMISSIONS = {
    role["code"]: frozenset(
        [*role["permissions"], *(name for more in LATER if more["id"] == role["id"] for name in more["held"])]
    )
    for role in FIRST
}


@dataclass(frozen=True)
class Record:
    """A record of the platform. `kind` says how it is reached: as what everybody sees, by its place, through its owner
    and place, or as its owner's alone.

    `owner` owns it in `unit`; `shares` are the colleagues who see it besides, and whether they may change it.
    """

    kind: str
    name: str
    id: str
    unit: str = ""
    owner: str = ""
    author: str = ""
    shares: tuple[tuple[str, bool], ...] = ()


def holds(person: str, permission: str) -> bool:
    return any(permission in PERMISSIONS[role] for role in roles_of(person))


def reads(person: str, permission: str, record: Record) -> bool:
    """Whether a grant of the person's that holds the permission reads the record."""
    if record.kind == "private":
        return holds(person, permission) and record.owner == person
    shared = any(name == person for name, _ in record.shares)
    return holds(person, permission) and (record.kind == "everybody" or shared or _reaches(person, record))


def changes(person: str, permission: str, record: Record, *, manages: bool) -> bool:
    """Whether a grant of the person's that holds the permission changes the record; a share never manages."""
    if record.kind == "private":
        return reads(person, permission, record)
    shared = not manages and (person, True) in record.shares
    reached = record.kind == "everybody" or shared or _reaches(person, record, writes=True)
    return holds(person, permission) and reached


def _reaches(person: str, record: Record, *, writes: bool = False) -> bool:
    at, governs = ROLES[person]
    governed = governs and under(record.unit, at)
    if record.kind == "placed":
        return governed or (not writes and under(record.unit, at))
    return governed or (record.owner == person and under(record.unit, at))


def under(unit: str, root: str) -> bool:
    return root in upward(unit)


def upward(unit: str | None) -> Iterator[str]:
    while unit is not None:
        yield unit
        unit = UNITS[unit][0]
