"""By what a store is told from every other one.

Revision 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from opsync.runtime import new_id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LENGTH = 12
"""Short enough to be compared by eye; a company has few stores."""


def upgrade() -> None:
    """Add an id among the values that are kept."""
    kept = sa.table(
        "kept",
        sa.column("instance", sa.Text),
        sa.column("key", sa.Text),
        sa.column("value", sa.LargeBinary),
    )
    value = f'"{new_id()[:_LENGTH]}"'.encode()
    op.bulk_insert(kept, [{"instance": "", "key": "store:id", "value": value}])
