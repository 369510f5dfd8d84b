"""Who calls: a person or key with grants. Rights are per grant and never unioned apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from uuid import UUID

# The owner, none where nobody owns it, and the unit by which a record is reached.
Place = tuple[UUID | None, UUID]


class FieldAccess(IntEnum):
    """What may be done with a field; more includes less. The numbers are the proto's.

    But for this: where `fields.editable` judges a change, a text that is shown in part may be replaced, and not one
    that may only be read.
    """

    HIDDEN = 1
    MASKED = 2
    READ = 3
    EDIT = 4


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one post allows: these permissions and field rights, in this unit and over those."""

    post_id: UUID
    unit_id: UUID
    governs: tuple[UUID, ...]
    permissions: frozenset[int]
    field_rights: Mapping[str, FieldAccess] = field(default_factory=dict)
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Caller:
    """A person at a process's door, as their passport says; valid until it expires. Each reading is its own."""

    person_id: UUID
    session_id: str
    grants: tuple[Grant, ...]
    issued_at: datetime
    expires_at: datetime

    def granting(self, permission: int) -> tuple[Grant, ...]:
        """The grants that hold a permission."""
        return tuple(grant for grant in self.grants if permission in grant.permissions)

    def holds(self, permission: int) -> bool:
        return any(permission in grant.permissions for grant in self.grants)
