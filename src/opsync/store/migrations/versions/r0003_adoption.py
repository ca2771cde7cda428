"""What is measured in analytics, and since when initiatives are done.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables; the next run fills them."""
    op.create_table(
        "metrics",
        sa.Column("metric", sa.Text, primary_key=True, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("first", sa.Text),
        sa.Column("through", sa.Text),
        sa.Column("read_at", sa.Text, nullable=False),
        sa.Column("retry_at", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("metrics_by_instance", "metrics", ["instance"])
    op.create_table(
        "metric_days",
        sa.Column("metric", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sightings",
        sa.Column("root", sa.Text, primary_key=True),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("since", sa.Text),
        sqlite_with_rowid=False,
    )
