"""Who may merge customers, register them and extend registrations."""

import sqlalchemy as sa
from alembic import op

from identity.role.seeds import GRANTED_WITH_DUPLICATES

revision = "0004"
down_revision = "0003"

# A right is granted once, whatever a firm has made of the role meanwhile.
_GRANT = sa.text("""
UPDATE roles SET
    permissions = ARRAY(SELECT DISTINCT unnest(permissions || CAST(:held AS text[])) ORDER BY 1),
    grantable_permissions =
        ARRAY(SELECT DISTINCT unnest(grantable_permissions || CAST(:grantable AS text[])) ORDER BY 1)
WHERE id = :id
""")


def upgrade() -> None:
    for role in GRANTED_WITH_DUPLICATES:
        op.get_bind().execute(_GRANT, role)
