"""Plans that are kept, and from what an approved value was computed.

Revision 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and two columns."""
    op.create_table(
        "plans",
        sa.Column("number", sa.Integer, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.add_column(
        "approvals", sa.Column("plan", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "approvals",
        sa.Column("inputs", sa.LargeBinary, nullable=False, server_default=sa.text("'{}'")),
    )
