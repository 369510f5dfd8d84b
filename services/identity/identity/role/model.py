"""Roles: named permissions and field rights at a level."""

from uuid import UUID

from sqlalchemy import ARRAY, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Versioned
from chassis.reach import Reach, Unscoped
from identity.base import Base
from tongxiao.identity.v1 import role_pb2 as pb


class Role(Versioned, Base):
    """A role 角色. Permissions are kept by name, field rights as field → access."""

    __tablename__ = "roles"
    __audit__ = "role"
    __audit_message__ = pb.Role
    __reach__ = Reach(read=Unscoped("roles are the same for the whole company"))
    __mapper_args__ = {"version_id_col": Versioned.version}  # noqa: RUF012

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grantable_permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    field_rights: Mapped[dict[str, int]] = mapped_column(JSONB)
    built_in: Mapped[bool]

    @property
    def realm_role(self) -> str:
        """The realm role that its level carries."""
        return realm_role(self.level)


def realm_role(level: int) -> str:
    return pb.Level.Name(level).removeprefix("LEVEL_").lower()  # type: ignore[arg-type]


REALM_ROLES = tuple(realm_role(level) for level in pb.Level.values() if level)
