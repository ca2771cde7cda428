"""For whose word a value waits, and which kept plans people were told of.

Revision 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns. Of what waits so far the next run finds out; of plans that are kept any
    may have been told."""
    op.add_column(
        "ledger", sa.Column("waits", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "ledger", sa.Column("under", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "plans", sa.Column("told", sa.Integer, nullable=False, server_default=sa.text("1"))
    )
