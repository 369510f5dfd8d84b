"""Long work: the chassis's tables of jobs and of imported rows; who may import and export."""

import sqlalchemy as sa
from alembic import op

from chassis.migrate import schema_create_v3
from identity.role.seeds import GRANTED_WITH_LONG_WORK

revision = "0003"
down_revision = "0002"

# A right is granted once, whatever a firm has made of the role meanwhile.
_GRANT = sa.text("""
UPDATE roles SET
    permissions = ARRAY(SELECT DISTINCT unnest(permissions || CAST(:held AS text[])) ORDER BY 1),
    grantable_permissions =
        ARRAY(SELECT DISTINCT unnest(grantable_permissions || CAST(:grantable AS text[])) ORDER BY 1)
WHERE id = :id
""")


def upgrade() -> None:
    schema_create_v3(op)
    for role in GRANTED_WITH_LONG_WORK:
        op.get_bind().execute(_GRANT, role)
