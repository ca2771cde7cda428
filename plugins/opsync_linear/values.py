"""The canonical form of what stands at opsync's places in Linear, read or about to be written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from opsync import Health, LinkContent, RollupContent, Seen, Value
from opsync_linear.marks import EXTERNAL, LINK, ROLLUP, own_surface
from opsync_linear.wire import Attachment, ExternalLink, Mark, mark_of

TITLE_MAX = 255
"""Characters of a title or label. Linear documents no limit; longer ones are of no use there."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_BRACES = str.maketrans({"{": "(", "}": ")"})

HEALTH = {
    Health.on_track: "onTrack",
    Health.at_risk: "atRisk",
    Health.off_track: "offTrack",
}
"""Linear's three words; the other healths have none there and are not posted."""


def one_line(text: str) -> str:
    """Text as Linear keeps it in a title: one line, trimmed, bounded."""
    text = " ".join(_CONTROL.sub(" ", text).split())
    return text if len(text) <= TITLE_MAX else text[: TITLE_MAX - 1].rstrip() + "…"


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def of_link(content: LinkContent) -> Value:
    """A link on an issue: an attachment. Braces in a subtitle are a date template to Linear."""
    if not _is_web(content.card.url):
        return None
    return {
        "url": content.card.url,
        "title": one_line(content.title),
        "subtitle": one_line(content.subtitle.translate(_BRACES)),
        "ref": str(content.card.ref),
        "status": str(content.card.category),
    }


def of_label(url: str, label: str) -> Value:
    """A link on a project or an initiative: an external link."""
    return {"url": url, "label": one_line(label)} if _is_web(url) else None


def of_rollup(content: RollupContent) -> Value:
    """A rollup on a project or an initiative: "Roadmap: One-tap checkout · 12/20 · at risk"."""
    return of_label(content.root.url, content.label)


def of_attachment(attachment: Attachment, mark: Mark | None = None) -> Value:
    """An attachment as it was read. `ref` and `status` are empty in those of others."""
    mark = mark or mark_of(attachment)
    return {
        "url": attachment.url,
        "title": attachment.title,
        "subtitle": attachment.subtitle or "",
        "ref": mark.opsync,
        "status": mark.status,
    }


def of_external_link(link: ExternalLink) -> Value:
    """An external link as it was read."""
    return {"url": link.url, "label": link.label}


def seen_attachment(attachment: Attachment) -> Seen:
    """What an attachment is to the planner."""
    mark = mark_of(attachment)
    return Seen.of(
        LINK,
        of_attachment(attachment, mark),
        address=attachment.url,
        remote_id=attachment.id,
        ours=bool(mark.opsync),
    )


def seen_external_link(link: ExternalLink) -> Seen:
    """What an external link is to the planner; those of others count as links."""
    surface = own_surface(link.id)
    ours = surface in (EXTERNAL, ROLLUP)
    return Seen.of(
        surface if ours else EXTERNAL,
        of_external_link(link),
        address=link.url,
        remote_id=link.id,
        ours=ours,
    )


def part(value: Value, name: str) -> str:
    """One text of a canonical value; "" if it has none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""
