"""Every table of this service."""

from identity.base import Base
from identity.employee import model as employee
from identity.keycloak import model as keycloak
from identity.post import model as post
from identity.role import model as role
from identity.session import model as session
from identity.unit import model as unit

__all__ = ["METADATA", "employee", "keycloak", "post", "role", "session", "unit"]

METADATA = (Base.metadata,)
