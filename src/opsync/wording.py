"""The texts that opsync writes into other tools. Pure; nothing here changes from day to day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from opsync.inert import inert_text, safe_url
from opsync.model import (
    Card,
    Category,
    Container,
    Health,
    LinkContent,
    Record,
    Ref,
    Rollup,
    RollupContent,
    WorkItem,
)
from opsync.stages.rollup import percent_of

TITLE_LIMIT = 200
SINGLES = 10
"""So many single issues are named in Work; the rest is counted."""
CONTAINERS = 20
"""So many containers likewise."""

CATEGORY_NAMES = {
    Category.backlog: "Backlog",
    Category.todo: "To do",
    Category.in_progress: "In progress",
    Category.done: "Done",
    Category.canceled: "Canceled",
    Category.unknown: "Unknown",
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date, today: date | None = None) -> str:
    """ "1 Dec", with its year where that is not today's."""
    text = f"{value.day} {_MONTHS[value.month - 1]}"
    return text if today is None or value.year == today.year else f"{text} {value.year}"


def card(record: Record, tool: str, expose: str) -> Card:
    """`record` as other tools may show it. `expose` is its instance's setting for private work."""
    url = safe_url(record.url)
    key = inert_text(record.key, TITLE_LIMIT)
    title = inert_text(record.title, TITLE_LIMIT)
    space = inert_text(record.space, TITLE_LIMIT)
    if record.private:
        if expose == "nothing":
            key = title = url = space = ""
        elif expose == "key":
            title = space = ""
    if key:
        label = f"{key} {title}".strip()
    elif record.kind.contains and space and title and record.ref.stream == "page":
        label = f"{space}: {title}"
    else:
        label = title or "Private item"
    return Card(
        ref=record.ref,
        kind=record.kind,
        label=label,
        url=url,
        tool=tool,
        key=key,
        title=title,
        space=space,
        category=record.category,
    )


def link_content(other: Card) -> LinkContent:
    """A link to `other`: its label, tool and status category, never a count."""
    name = CATEGORY_NAMES[other.category]
    known = other.category is not Category.unknown
    return LinkContent(
        card=other,
        title=other.label,
        subtitle=f"{other.tool} · {name.lower()}" if known else other.tool,
        resolved=not other.category.open,
        category_name=name if known else "",
    )


def rollup_content(
    rollup: Rollup,
    root: Card,
    cards: dict[Ref, Card],
    *,
    paste_into: str,
    paste_tools: Sequence[str],
    stale: tuple[date, str] | None,
    changed_on: date,
    at_root: bool,
) -> RollupContent:
    """A rollup in words. `cards` are those of its containers; `stale` is since when which tool
    cannot be read, once that has lasted."""
    return RollupContent(
        root=root,
        rollup=rollup,
        title=root.label,
        delivery=delivery(
            rollup,
            paste_into=paste_into,
            paste_tools=paste_tools,
            stale=stale,
            today=changed_on,
        ),
        summary=summary(rollup),
        short=_joined(f"{rollup.done}/{rollup.total}", _mood(rollup)),
        percent=percent_of(rollup),
        health=rollup.health,
        health_name=rollup.health.value,
        work=work(rollup, cards),
        changed_on=changed_on,
        at_root=at_root,
    )


def delivery(
    rollup: Rollup,
    *,
    paste_into: str = "",
    paste_tools: Sequence[str] = (),
    stale: tuple[date, str] | None = None,
    today: date | None = None,
) -> str:
    """ "12 of 20 done · 3 blocked · Payments 8/12, Growth 4/8 · at risk: 60 % done, due 1 Dec"."""
    if rollup.total == 0 and not rollup.canceled and not rollup.missing:
        place = f'"{paste_into}"' if paste_into else "this page"
        tools = " or ".join(paste_tools)
        return f"No linked work. Paste a {tools} link into {place}." if tools else "No linked work."
    head = f"{rollup.done} of {rollup.total} done"
    if stale is not None:
        return f"{head} as of {day(stale[0], today)} · {stale[1]} unreadable since, number kept"
    if rollup.done_since is not None and not rollup.canceled:
        head += f" since {day(rollup.done_since, today)}"
    # A breakdown says where the work is that is left.
    spaces = rollup.spaces if len(rollup.spaces) > 1 and rollup.done < rollup.total else ()
    return _joined(
        head,
        f"{rollup.blocked} blocked" if rollup.blocked else "",
        f"{rollup.canceled} canceled, not counted" if rollup.canceled else "",
        f"{rollup.private} in a private team, counted only" if rollup.private else "",
        f"{len(rollup.missing)} linked but not readable" if rollup.missing else "",
        (
            f"scope +{rollup.scope_added} since {day(rollup.scope_since, today)}"
            if rollup.scope_added and rollup.scope_since
            else ""
        ),
        ", ".join(f"{inert_text(s.name, 40)} {s.done}/{s.total}" for s in spaces[:6]),
        _why(rollup, today),
    )


def summary(rollup: Rollup) -> str:
    """ "12/20 done · 3 blocked · at risk"."""
    return _joined(
        f"{rollup.done}/{rollup.total} done",
        f"{rollup.blocked} blocked" if rollup.blocked else "",
        _mood(rollup),
    )


def work(rollup: Rollup, cards: dict[Ref, Card]) -> tuple[WorkItem, ...]:
    """What the root names: containers with their counts, then single items up to a limit."""
    named = [(c, cards[c.ref]) for c in rollup.containers if c.ref in cards]
    containers = [(c, card_) for c, card_ in named if not c.single and _named(card_)]
    singles = [(c, card_) for c, card_ in named if c.single and _named(card_)]
    shown = containers[:CONTAINERS]
    rest = len(rollup.containers) - len(shown)
    items = [WorkItem(_container_text(c, card_), card_.url) for c, card_ in shown]
    for _, card_ in singles[:SINGLES]:
        items.append(WorkItem(card_.label, card_.url))
        rest -= 1
    if rest:
        items.append(WorkItem(f"+{rest} more" if items else f"{rest} not named"))
    return tuple(items)


def _named(card_: Card) -> bool:
    """Whether it may be named: private work has no title, and a key only where that is exposed."""
    return bool(card_.key or card_.title)


def _container_text(container: Container, card_: Card) -> str:
    name = card_.label if card_.key else f"{card_.title} ({card_.tool})"
    return f"{name} {container.done}/{container.total}"


def _mood(rollup: Rollup) -> str:
    if rollup.health in (Health.at_risk, Health.off_track, Health.paused):
        return rollup.health.value.lower()
    return ""


def _why(rollup: Rollup, today: date | None) -> str:
    """The mood with the facts behind it, in words that hold tomorrow."""
    mood = _mood(rollup)
    if not mood or rollup.health is Health.paused:
        return mood
    percent = percent_of(rollup)
    facts = [f"{percent:.0%}".replace("%", " %") + " done"] if percent is not None else []
    if rollup.due_on is not None:
        facts.append(f"due {day(rollup.due_on, today)}")
    return f"{mood}: {', '.join(facts)}" if facts else mood


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
