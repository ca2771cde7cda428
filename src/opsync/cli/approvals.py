"""`opsync apply --approvals`: what is approved, by whom and when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opsync.cli import words
from opsync.cli.common import Opened
from opsync.cli.layout import Column
from opsync.cli.listing import Listing, most, show_listing
from opsync.engine.approving import Given, given_approvals
from opsync.model import Kind
from opsync.store import Store

COLUMNS = (
    Column("rule"),
    Column("tool", drop=2),
    Column("item", "fold", 14),
    Column("place", "fold", 10),
    Column("value", "fold", 18),
    Column("by", "fold", 8),
    Column("approved on"),
    Column("plan", right=True, drop=1),
    Column("", "fold", 12),
)


def show_approvals(config_path: Path | None, store: Path | None, *, as_json: bool) -> int:
    """List them."""
    rows = most(None, as_json)

    async def gather(opened: Opened, kept: Store) -> Listing:
        return _listing(opened, await given_approvals(opened.config, kept), rows)

    return show_listing(
        config_path,
        store,
        as_json,
        gather,
        nothing="nothing is approved",
        foot="Take a rule's back: opsync apply --rule NAME --revoke",
    )


def _listing(opened: Opened, found: Sequence[Given], limit: int) -> Listing:
    rows = []
    for one in found[:limit]:
        local = one.approved.at.astimezone(opened.config.zone)
        of = one.about if one.item and one.item.kind == Kind.product.value else one.item
        value = "all its values"
        if of is not None:
            value = "" if one.state else words.value(one.value, one.place)
        rows.append(
            (
                one.rule,
                one.tool,
                words.shown(of.label, 48) if of else "",
                one.place,
                value,
                words.shown(one.approved.by, 60),
                f"{words.day(local.date())} {local:%H:%M}",
                f"#{one.approved.plan}" if one.approved.plan else "",
                one.state,
            )
        )
    return Listing(COLUMNS, rows, found, full=len(rows) < len(found))
