"""The first tables.

Revision 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "aliases",
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("aliases_by_ref", "aliases", ["ref"])
    op.create_table(
        "approvals",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("desired_hash", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "cursors",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("high", sa.Text),
        sa.Column("completed_at", sa.Text),
        sa.Column("failed_at", sa.Text),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("last_run", sa.Integer, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("surface", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("other", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=False),
        sa.Column("desired", sa.LargeBinary, nullable=False),
        sa.Column("after", sa.LargeBinary, nullable=False),
        sa.Column("remote_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.Column("inputs", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_by_run", "journal", ["run"])
    op.create_index("journal_by_target", "journal", ["target"])
    op.create_table(
        "kept",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("surface", sa.Text, primary_key=True),
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("other", sa.Text, primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("desired", sa.LargeBinary, nullable=False),
        sa.Column("applied", sa.LargeBinary, nullable=False),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("remote_id", sa.Text, nullable=False),
        sa.Column("observed", sa.LargeBinary),
        sa.Column("observed_at", sa.Text),
        sa.Column("intent", sa.LargeBinary),
        sa.Column("hold", sa.LargeBinary),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.Text),
        sa.Column("retry", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.Column("inputs", sa.LargeBinary, nullable=False),
        sa.Column(
            "pending",
            sa.Integer,
            sa.Computed(
                "CASE WHEN intent IS NOT NULL OR (outcome <> 'skipped' AND desired <> applied"
                " AND (desired = X'6E756C6C' OR desired <> asked)) THEN 1 ELSE 0 END",
                persisted=True,
            ),
        ),
    )
    op.create_index("ledger_pending", "ledger", ["pending"], sqlite_where=sa.text("pending = 1"))
    op.create_index(
        "ledger_conflicted", "ledger", ["outcome"], sqlite_where=sa.text("outcome = 'conflicted'")
    )
    op.create_table(
        "links",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("links_by_target", "links", ["target"])
    op.create_table(
        "members",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("root", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("members_by_ref", "members", ["ref"])
    op.create_table(
        "mentions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("property", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("mentions_by_alias", "mentions", ["alias"])
    op.create_index("mentions_by_source", "mentions", ["source"])
    op.create_table(
        "parents",
        sa.Column("child", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("parents_by_parent", "parents", ["parent"])
    op.create_table(
        "quarantine",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("tombstone", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("seen_hash", sa.Text, nullable=False),
        sa.Column("changed_in", sa.Integer, nullable=False),
        sa.Column("seen_changed_in", sa.Integer, nullable=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("records_by_change", "records", ["changed_in"])
    op.create_index("records_by_kind", "records", ["instance", "kind", "stream", "tombstone"])
    op.create_index("records_by_seen_change", "records", ["seen_changed_in"])
    op.create_table(
        "rollup_history",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("root", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, primary_key=True),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("health", sa.Text, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollups",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("root", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("revisit_on", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("settled", sa.Integer, nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "touched",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("run", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_instances",
        sa.Column(
            "run", sa.Integer, sa.ForeignKey("runs.seq"), primary_key=True, autoincrement=False
        ),
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("counts", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """There is nothing older."""
    raise NotImplementedError("The first revision has no predecessor.")
