"""How often what is set aside was tried again and when it will be; since when a write fails.

Revision 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add four columns."""
    op.add_column(
        "quarantine", sa.Column("feed", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "quarantine", sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("quarantine", sa.Column("next_try_at", sa.Text))
    op.add_column("ledger", sa.Column("failed_at", sa.Text))
