"""What people decide about pairs, suggestions, twins, and who owns what.

Revision 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns, and have everything read again to fill them."""
    op.add_column(
        "links", sa.Column("twin", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.create_index("links_twin", "links", ["twin"], sqlite_where=sa.text("twin > 0"))
    op.add_column("mentions", sa.Column("part", sa.Text, nullable=False, server_default=""))
    op.add_column("records", sa.Column("owner", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "touched", sa.Column("relink", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "decisions",
        sa.Column("one", sa.Text, primary_key=True),
        sa.Column("two", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("one_name", sa.Text, nullable=False),
        sa.Column("two_name", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("decisions_by_two", "decisions", ["two"])
    op.create_table(
        "suggestions",
        sa.Column("one", sa.Text, primary_key=True),
        sa.Column("two", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("reasons", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("suggestions_by_id", "suggestions", ["id"])
    op.create_table(
        "people",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("active", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    # Where a feed was read as another configuration would have it, it is read from its beginning.
    op.execute("UPDATE kept SET value = '\"before 0002\"' WHERE key LIKE 'opsync:named-as:%'")
