"""Which deliveries of change signals arrived, and what each names until it was read.

Revision 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table with its four indexes."""
    op.create_table(
        "deliveries",
        sa.Column("seq", sa.Integer, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("refs", sa.LargeBinary, nullable=False),
        sa.Column("whole", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
    )
    op.create_index("deliveries_by_id", "deliveries", ["instance", "id"], unique=True)
    op.create_index("deliveries_by_digest", "deliveries", ["instance", "digest"], unique=True)
    op.create_index("deliveries_by_time", "deliveries", ["at"])
    op.create_index(
        "deliveries_open", "deliveries", ["instance", "seq"], sqlite_where=sa.text("done = 0")
    )
