"""The tables. Columns are TEXT, INTEGER, FLOAT or BLOB only, so that any database can hold them.

Refs are their text form. Times are TEXT in ISO format, UTC, with microseconds ("…+00:00"), so
that they sort as text; dates are ISO dates. BLOB and `*_json` columns hold JSON.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()


def _text(name: str, *, key: bool = False, default: str | None = None) -> Column[str]:
    set_ = None if default is None else text(f"'{default}'")
    return Column(name, Text, primary_key=key, nullable=False, server_default=set_)


def _number(name: str, *, key: bool = False, default: int | None = None) -> Column[int]:
    set_ = None if default is None else text(str(default))
    return Column(
        name, Integer, primary_key=key, nullable=False, autoincrement=False, server_default=set_
    )


def _blob(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _maybe(name: str) -> Column[str]:
    return Column(name, Text)


records = Table(
    "records",
    metadata,
    _text("ref", key=True),
    _text("instance"),
    _text("stream"),
    _text("kind"),
    _text("category"),
    _text("key"),
    _text("title"),
    _text("space"),
    _text("tombstone"),
    _text("hash"),
    _text("seen_hash"),
    _number("changed_in"),
    _number("seen_changed_in"),
    _text("feed"),
    _blob("body"),
    _text("owner", default=""),
    Index("records_by_kind", "instance", "kind", "stream", "tombstone"),
    Index("records_by_change", "changed_in"),
    Index("records_by_seen_change", "seen_changed_in"),
)

# Every name a record ever had, for as long as the record is kept: the newest holder has it.
aliases = Table(
    "aliases",
    metadata,
    _text("alias", key=True),
    _text("instance", key=True),
    _text("ref"),
    Index("aliases_by_ref", "ref"),
    sqlite_with_rowid=False,
)

mentions = Table(
    "mentions",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("source"),
    _text("alias"),
    _text("instance"),
    _text("field"),
    _number("property"),
    _text("text"),
    _text("part", default=""),
    Index("mentions_by_source", "source"),
    Index("mentions_by_alias", "alias"),
)

parents = Table(
    "parents",
    metadata,
    _text("child", key=True),
    _text("parent", key=True),
    Index("parents_by_parent", "parent"),
    sqlite_with_rowid=False,
)

# Directed: the source names the target. `evidence` is a list of [field, text, property, part].
# `twin`: 2 where the evidence says that both are one piece of work, 1 where it does if the target
# names the source likewise.
links = Table(
    "links",
    metadata,
    _text("source", key=True),
    _text("target", key=True),
    _blob("evidence"),
    _number("twin", default=0),
    Index("links_by_target", "target"),
    Index("links_twin", "twin", sqlite_where=text("twin > 0")),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    _text("rule", key=True),
    _text("root", key=True),
    _text("at"),
    _maybe("revisit_on"),
    _blob("body"),
)

members = Table(
    "members",
    metadata,
    _text("rule", key=True),
    _text("root", key=True),
    _text("ref", key=True),
    _number("position"),
    _text("role"),
    _text("via"),
    _text("field"),
    Index("members_by_ref", "ref"),
    sqlite_with_rowid=False,
)

rollup_history = Table(
    "rollup_history",
    metadata,
    _text("rule", key=True),
    _text("root", key=True),
    _text("at", key=True),
    _number("done"),
    _number("total"),
    _text("health"),
    _blob("numbers"),
    sqlite_with_rowid=False,
)

cursors = Table(
    "cursors",
    metadata,
    _text("instance", key=True),
    _text("feed", key=True),
    _maybe("high"),
    _maybe("completed_at"),
    _maybe("failed_at"),
    _text("error"),
    _number("last_run"),
)

kept = Table(
    "kept",
    metadata,
    _text("instance", key=True),
    _text("key", key=True),
    _blob("value"),
)

# `pending`: something is left to do. `retry`: 0 where the tool refused it for good. `failed_at`:
# when the first of the failures in a row was. `waits`: for what, if the plan found that there is
# nothing to do before people say something else than the word that it was found `under`. `ceded`: 1
# where what is applied is a person's, which they gave up.
ledger = Table(
    "ledger",
    metadata,
    _text("target", key=True),
    _text("surface", key=True),
    _text("rule", key=True),
    _text("other", key=True),
    _text("instance"),
    _blob("desired"),
    _blob("applied"),
    _blob("asked"),
    _text("remote_id"),
    Column("observed", LargeBinary),
    _maybe("observed_at"),
    Column("intent", LargeBinary),
    Column("hold", LargeBinary),
    _text("outcome"),
    _text("message"),
    _number("attempts"),
    _maybe("next_try_at"),
    _number("retry"),
    _text("reason"),
    _blob("evidence"),
    _blob("inputs"),
    Column(
        "pending",
        Integer,
        Computed(
            "CASE WHEN intent IS NOT NULL OR (outcome <> 'skipped' AND desired <> applied"
            " AND (desired = X'6E756C6C' OR desired <> asked)) THEN 1 ELSE 0 END",
            persisted=True,
        ),
    ),
    _maybe("failed_at"),
    _text("waits", default=""),
    _text("under", default=""),
    _number("ceded", default=0),
    Index("ledger_pending", "pending", sqlite_where=text("pending = 1")),
    Index("ledger_conflicted", "outcome", sqlite_where=text("outcome = 'conflicted'")),
)

# `scope` is a slot or a rule; an approval of a slot counts for one desired value only.
approvals = Table(
    "approvals",
    metadata,
    _text("scope", key=True),
    _text("desired_hash", key=True),
    _text("by"),
    _text("at"),
    _number("plan", default=0),
    Column("inputs", LargeBinary, nullable=False, server_default=text("'{}'")),
)

# `told`: a person was told of it, so that none which the service makes by itself pushes it out.
plans = Table(
    "plans",
    metadata,
    _number("number", key=True),
    _text("at"),
    _blob("body"),
    _number("told", default=1),
)

# `theirs`: whether what stood there before was a person's, NULL where nobody asked. `over`: the
# hold in place of which an undo or a release put its own.
journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True),
    _number("run"),
    _text("at"),
    _text("change"),
    _text("target"),
    _text("surface"),
    _text("rule"),
    _text("other"),
    _text("verb"),
    _text("kind"),
    _blob("before"),
    _blob("desired"),
    _blob("after"),
    _text("remote_id"),
    _text("request_id"),
    _text("message"),
    _text("reason"),
    _blob("evidence"),
    _blob("inputs"),
    Column("theirs", Integer),
    Column("over", LargeBinary),
    Index("journal_by_target", "target"),
    Index("journal_by_run", "run"),
    sqlite_autoincrement=True,
)

# `settled`: all that changed in this run has been linked, rolled up and planned.
runs = Table(
    "runs",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("command"),
    _text("started_at"),
    _maybe("finished_at"),
    _text("outcome"),
    _number("settled"),
    _blob("counts"),
    sqlite_autoincrement=True,
)

run_instances = Table(
    "run_instances",
    metadata,
    Column("run", Integer, ForeignKey("runs.seq"), primary_key=True, autoincrement=False),
    _text("instance", key=True),
    _text("outcome"),
    _text("message"),
    _blob("counts"),
)

# Refs whose links or rollups changed in a run that is not settled; `relink` where a person decided
# something about them: the links that they make are then made again.
touched = Table(
    "touched",
    metadata,
    _text("ref", key=True),
    _number("run"),
    _number("relink", default=0),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    _text("ref", key=True),
    _text("reason"),
    _text("since"),
    _text("last_at"),
    _text("feed", default=""),
    _number("tries", default=0),
    _maybe("next_try_at"),
)

# What people said about a pair of items, whatever their tools say. `kind` is member, same or
# related; `verdict` accepted or rejected. For a member, `one` is the initiative. The names are
# those that the items had then: they are shown when an item is gone.
decisions = Table(
    "decisions",
    metadata,
    _text("one", key=True),
    _text("two", key=True),
    _text("kind"),
    _text("verdict"),
    _text("by"),
    _text("at"),
    _text("note"),
    _text("one_name"),
    _text("two_name"),
    Index("decisions_by_two", "two"),
    sqlite_with_rowid=False,
)

# Pairs that look as if they belonged together, as found last; `id` is short, and stays the same.
suggestions = Table(
    "suggestions",
    metadata,
    _text("one", key=True),
    _text("two", key=True),
    _text("id"),
    _text("kind"),
    Column("score", Float, nullable=False),
    _blob("reasons"),
    _text("at"),
    Index("suggestions_by_id", "id"),
    sqlite_with_rowid=False,
)

# Everybody who was met in an instance.
people = Table(
    "people",
    metadata,
    _text("instance", key=True),
    _text("id", key=True),
    _text("name"),
    _text("email"),
    _number("active"),
    sqlite_with_rowid=False,
)

# What is measured, as it was read last. Its days are known from `first` to `through`; `retry_at` is
# when one without numbers may be asked for again.
metrics = Table(
    "metrics",
    metadata,
    _text("metric", key=True),
    _text("instance"),
    _maybe("first"),
    _maybe("through"),
    _text("read_at"),
    _maybe("retry_at"),
    _blob("body"),
    Index("metrics_by_instance", "instance"),
)

# One day of one metric; days of zero have no row.
metric_days = Table(
    "metric_days",
    metadata,
    _text("metric", key=True),
    _text("day", key=True),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

# Whether an initiative was done when it was last looked at, and since which day; none where it was
# so from the first look on.
sightings = Table(
    "sightings",
    metadata,
    _text("root", key=True),
    _number("done"),
    _maybe("since"),
    sqlite_with_rowid=False,
)

# Deliveries of change signals that were answered as arrived, in the order in which they did. `id`
# is the tool's, `digest` the body's; `refs` are named until a pass that read them came to its end.
deliveries = Table(
    "deliveries",
    metadata,
    _number("seq", key=True),
    _text("instance"),
    _text("id"),
    _text("digest"),
    _text("at"),
    _blob("refs"),
    _number("whole"),
    _number("done"),
    Index("deliveries_by_id", "instance", "id", unique=True),
    Index("deliveries_by_digest", "instance", "digest", unique=True),
    Index("deliveries_by_time", "at"),
    Index("deliveries_open", "instance", "seq", sqlite_where=text("done = 0")),
)
