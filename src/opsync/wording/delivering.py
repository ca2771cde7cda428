"""Items, links and delivery summaries in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from opsync.inert import inert_text, safe_url
from opsync.languages import ENGLISH, Words
from opsync.model import (
    Card,
    Category,
    Container,
    Health,
    Kind,
    LinkContent,
    Record,
    Ref,
    Rollup,
    RollupContent,
    WorkItem,
)
from opsync.names import untitled
from opsync.stages.health import percent_of
from opsync.wording.using import adoption, use

TITLE_LIMIT = 200
SINGLES = 10
"""So many single issues are named in Work; the rest is counted."""
CONTAINERS = 20
"""So many containers likewise."""

TOLD = frozenset({Health.at_risk, Health.off_track, Health.paused})
"""The healths that a text says: all others are good news, or told by the numbers."""


def day(value: date, today: date | None = None, words: Words = ENGLISH) -> str:
    """ "1 Dec", with its year where that is not today's."""
    return words.day(value, today)


def card(record: Record, tool: str, expose: str, words: Words = ENGLISH) -> Card:
    """`record` as other tools may show it. `expose` is its instance's setting for private work.

    The address of private work never holds its title, whoever says that it is private and whatever
    its connector makes of it.
    """
    url = safe_url(record.url)
    key = inert_text(record.key, TITLE_LIMIT)
    title = inert_text(record.title, TITLE_LIMIT)
    space = inert_text(record.space, TITLE_LIMIT)
    if record.private:
        url = untitled(url, (record.key, record.ref.id, *record.aliases), record.title)
        if expose == "nothing":
            key = title = url = space = ""
        elif expose == "key":
            title = space = ""
    if key and title:
        label = words.text("item", key=key, title=title, tool=tool, space=space)
    elif record.kind.contains and space and title and record.ref.stream == "page":
        label = words.text("page", space=space, title=title, tool=tool)
    else:
        label = key or title or words.text("private_item")
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


def link_content(other: Card, words: Words = ENGLISH) -> LinkContent:
    """A link to `other`: its label, tool and status category, never a count."""
    known = other.category is not Category.unknown
    status = words.status_inline[other.category] if known else ""
    tracked = other.kind.contains or other.kind is Kind.document
    return LinkContent(
        card=other,
        title=other.label,
        subtitle=words.text("link_subtitle", tool=other.tool, status=status),
        resolved=not other.category.open,
        category_name=words.status[other.category] if known else "",
        relationship=words.text("tracked_in" if tracked else "relates_to"),
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
    measured_in: Mapping[str, str] | None = None,
    words: Words = ENGLISH,
) -> RollupContent:
    """A rollup in words. `cards` are those of its containers; `stale` is since when which tool
    cannot be read, once that has lasted; `measured_in` names the tools by instance."""
    title = words.text(
        "roadmap_link", item=root.label, title=root.title, tool=root.tool, space=root.space
    )
    told = delivery(
        rollup,
        paste_into=paste_into,
        paste_tools=paste_tools,
        stale=stale,
        today=changed_on,
        words=words,
    )
    items = work(rollup, cards, words)
    in_brief = summary(rollup, words)
    short = _numbers("short", rollup, words)
    return RollupContent(
        root=root,
        rollup=rollup,
        title=title,
        delivery=told,
        summary=in_brief,
        short=short,
        percent=percent_of(rollup),
        health=rollup.health,
        health_name=words.health[rollup.health],
        work=items,
        changed_on=changed_on,
        at_root=at_root,
        label=words.text(
            "roadmap_label",
            link=title,
            short=short,
            done=rollup.done,
            total=rollup.total,
            health=_mood(rollup, words),
            use=use(rollup, words),
        ),
        relationship=words.text("roadmap"),
        adoption=adoption(rollup, measured_in or {}, today=changed_on, words=words),
    )


def delivery(
    rollup: Rollup,
    *,
    paste_into: str = "",
    paste_tools: Sequence[str] = (),
    stale: tuple[date, str] | None = None,
    today: date | None = None,
    words: Words = ENGLISH,
) -> str:
    """ "12 of 20 done · 3 blocked · Payments 8/12, Growth 4/8 · at risk: 60 % done, due 1 Dec"."""
    if rollup.total == 0 and not rollup.canceled and not rollup.missing:
        return _no_work(paste_into, paste_tools, words)
    done, total = rollup.done, rollup.total
    if stale is not None:
        since = words.day(stale[0], today)
        return words.text("stale", done=done, total=total, date=since, tool=stale[1])
    if rollup.done_since is not None and not rollup.canceled:
        since = words.day(rollup.done_since, today)
        head = words.text("head_since", done=done, total=total, date=since)
    else:
        head = words.text("head", done=done, total=total)
    percent = percent_of(rollup)
    return words.text(
        "delivery",
        head=head,
        blocked=_counted("blocked", rollup.blocked, words),
        canceled=_counted("canceled", rollup.canceled, words),
        private=_counted("private", rollup.private, words),
        missing=_counted("missing", len(rollup.missing), words),
        scope=_scope(rollup, today, words),
        spaces=_spaces(rollup, words),
        why=_why(rollup, today, words),
        done=done,
        total=total,
        percent="" if percent is None else _hundred(percent),
        health=words.health_inline[rollup.health],
        due="" if rollup.due_on is None else words.day(rollup.due_on, today),
    )


def _no_work(paste_into: str, paste_tools: Sequence[str], words: Words) -> str:
    if not paste_tools:
        return words.text("no_work")
    tools = _one_after_the_other("either", paste_tools, words)
    if paste_into:
        return words.text("no_work_column", tools=tools, column=paste_into)
    return words.text("no_work_page", tools=tools)


def summary(rollup: Rollup, words: Words = ENGLISH) -> str:
    """ "12/20 done · 3 blocked · at risk"."""
    return _numbers("summary", rollup, words)


def work(rollup: Rollup, cards: dict[Ref, Card], words: Words = ENGLISH) -> tuple[WorkItem, ...]:
    """What the root names: containers with their counts, then single items up to a limit."""
    named = [(c, cards[c.ref]) for c in rollup.containers if c.ref in cards]
    containers = [(c, card_) for c, card_ in named if not c.single and _named(card_)]
    singles = [(c, card_) for c, card_ in named if c.single and _named(card_)]
    shown = containers[:CONTAINERS]
    rest = len(rollup.containers) - len(shown)
    items = [WorkItem(_container_text(c, card_, words), card_.url) for c, card_ in shown]
    for _, card_ in singles[:SINGLES]:
        items.append(WorkItem(card_.label, card_.url))
        rest -= 1
    if rest:
        name = ("more_one" if rest == 1 else "more") if items else "not_named"
        items.append(WorkItem(words.text(name, count=rest)))
    return tuple(items)


def _named(card_: Card) -> bool:
    """Whether it may be named: private work has no title, and a key only where that is exposed."""
    return bool(card_.key or card_.title)


def _container_text(container: Container, card_: Card, words: Words) -> str:
    tool, done, total = card_.tool, container.done, container.total
    if card_.key:
        return words.text("container", item=card_.label, tool=tool, done=done, total=total)
    name = "container_without_key"
    return words.text(name, title=card_.title, tool=tool, done=done, total=total)


def _numbers(name: str, rollup: Rollup, words: Words) -> str:
    return words.text(
        name,
        done=rollup.done,
        total=rollup.total,
        blocked=_counted("blocked", rollup.blocked, words),
        health=_mood(rollup, words),
        use=use(rollup, words),
    )


def _counted(name: str, count: int, words: Words) -> str:
    return words.text(name, count=count) if count else ""


def _scope(rollup: Rollup, today: date | None, words: Words) -> str:
    if not rollup.scope_added or rollup.scope_since is None:
        return ""
    since = words.day(rollup.scope_since, today)
    return words.text("scope", count=rollup.scope_added, date=since)


def _spaces(rollup: Rollup, words: Words) -> str:
    """Where the work is that is left: nothing if it is all in one place, or done."""
    if len(rollup.spaces) < 2 or rollup.done >= rollup.total:
        return ""
    each = [
        words.text("space", name=inert_text(s.name, 40), done=s.done, total=s.total)
        for s in rollup.spaces[:6]
    ]
    return _one_after_the_other("list", each, words)


def _mood(rollup: Rollup, words: Words) -> str:
    return words.health_inline[rollup.health] if rollup.health in TOLD else ""


def _why(rollup: Rollup, today: date | None, words: Words) -> str:
    """The mood with the facts behind it, in words that hold tomorrow."""
    mood = _mood(rollup, words)
    if not mood or rollup.health is Health.paused:
        return mood
    percent = percent_of(rollup)
    facts = []
    if percent is not None:
        numbers = {"done": rollup.done, "total": rollup.total}
        facts.append(words.text("share", percent=_hundred(percent), **numbers))
    if rollup.due_on is not None:
        facts.append(words.text("due", date=words.day(rollup.due_on, today)))
    told = _one_after_the_other("list", [fact for fact in facts if fact], words)
    return words.text("why", health=mood, facts=told) if told else mood


def _hundred(share: float) -> str:
    return f"{share:.0%}".removesuffix("%")


def _one_after_the_other(name: str, each: Sequence[str], words: Words) -> str:
    """ "Jira or Linear", "Payments 8/12, Growth 4/8": `each` joined by a text of two."""
    told = [one for one in each if one]
    return reduce(lambda one, other: words.text(name, one=one, other=other), told) if told else ""
