"""Whose a value is that opsync may write over, whose one was that it wrote over, and what held it
before it was taken back.

Revision 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns. Of what was written so far none of it is known."""
    op.add_column(
        "ledger", sa.Column("ceded", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("journal", sa.Column("theirs", sa.Integer))
    op.add_column("journal", sa.Column("over", sa.LargeBinary))
