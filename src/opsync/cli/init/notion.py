"""Notion, from the token to the columns: the one tool in which people make their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opsync.cli.init.answers import NotionAnswers, PageKind, Source
from opsync.cli.init.connect import NAMED, Guide, ToolSkipped, chosen
from opsync.cli.init.options import NO_SOURCE, bare_id, names_an_id, source
from opsync.cli.init.table import NOTION, NOTION_TOOL
from opsync.errors import ConfigError, SignInError

if TYPE_CHECKING:
    from opsync.contract.examining import Check, Choice, Guess
    from opsync.engine.onboarding import Findings, Meeting

SHARE = "Open the roadmap's database in Notion → ••• → Connections → opsync."
ROLES = ("title", "status", "due", "owner", "links")
"""What columns are taken for, in the order in which they are shown."""
NO_COLUMN = "–"
"""Shown for a column that was not found."""
ANY = "any"
"""Typed for links that may be in every column."""
RENAME = "For another name: --own-column"

_ROADMAP = re.compile(r"roadmap|initiative|initiativ|okr|goals?\b|ziele", re.IGNORECASE)
_KINDS: tuple[tuple[PageKind, re.Pattern[str]], ...] = (
    ("issue", re.compile(r"task|issue|bug|ticket|story|stories|aufgabe", re.IGNORECASE)),
    ("project", re.compile(r"project|epic|projekt", re.IGNORECASE)),
)
_OWN_NAME = re.compile(r"^data_sources\.(\d+)\.columns\.(\w+)$")


def notion(guide: Guide) -> tuple[NotionAnswers, tuple[str, ...]]:
    """One Notion workspace, and the columns in which people paste links. Raises ToolSkipped."""
    options, api = guide.options, guide.apis.get(NOTION, "")
    unchosen = NotionAnswers((Source(NO_SOURCE),), api=api)
    met = guide.meet(NOTION_TOOL, unchosen)
    if met is None or not met.explorable:
        answers = replace(unchosen, sources=_named_only(guide))
        if met is not None:
            guide.tell_checks(guide.examine(NOTION_TOOL, answers))
        return answers, options.tracked_in
    sources = _kinds(guide, _sources(guide, met))
    answers = replace(unchosen, sources=_with_columns(guide, sources))
    answers, found, links = _columns(guide, answers)
    roots = {bare_id(one.id) for one in answers.sources if one.kind == "initiative"}
    guide.guesses = tuple(guess for guess in found.guesses if bare_id(guess.table) in roots)
    answers = replace(answers, sources=_own_names(guide, answers.sources, found.checks))
    failed = frozenset(check.title for check in found.checks if check.state == "fail")
    guide.tell_checks(found, told=failed if guide.desk.attended else frozenset())
    canceled, suspects = guide.canceled(found.words, ())
    guide.tell_size(NOTION_TOOL, found.first_read)
    return replace(answers, canceled=canceled, suspects=suspects), options.tracked_in or links


def _named_only(guide: Guide) -> tuple[Source, ...]:
    """The data sources that the options name, when Notion cannot be asked what there is."""
    options, desk = guide.options, guide.desk
    named = options.databases or (
        (desk.ask("The link of the roadmap's database"),) if desk.attended else ()
    )
    if not any(named):
        raise desk.missing("the link of the roadmap's database", NOTION_TOOL.scope)
    if titles := [one for one in named if not names_an_id(one)]:
        raise ConfigError(
            f'--notion "{titles[0]}": is no link and no id, and a title can be looked up with a '
            "token only.",
            hint="Open the database as a full page and copy its link.",
        )
    return _with_columns(guide, [source(one) for one in named])


def _sources(guide: Guide, met: Meeting) -> list[Source]:
    """The data sources to read: what the options name, the only one, or what the person picks."""
    named, choices, desk = guide.options.databases, met.choices, guide.desk
    if named:
        found = [one for name in named for one in _found(name, choices)]
    elif not choices:
        nothing = SignInError("Notion: the token sees no data source.", hint=SHARE)
        if not desk.attended:
            raise nothing
        desk.sign("fail", nothing.message, nothing.hint)
        raise ToolSkipped
    elif desk.attended:
        found = [_of(one) for one in desk.pick("Which to read", choices, _likely(choices))]
    elif len(choices) == 1:
        found = [_of(choices[0])]
    else:
        likely = [one for one in choices if _ROADMAP.search(one.name)]
        shown = choices if len(choices) <= NAMED else (likely or choices)[:NAMED]
        listed = ", ".join(f'"{one.name}"' for one in shown)
        more = ", …" if len(shown) < len(choices) else ""
        raise desk.missing(
            f"the token sees {len(choices)} data sources: {listed}{more}", "--notion"
        )
    told = ", ".join(f'"{one.name or one.id}"' for one in found)
    desk.sign("ok", f"Reads {told}")
    return found


def _found(named: str, choices: Sequence[Choice]) -> list[Source]:
    """What an option names: an address of a database need not be among the data sources."""
    if names_an_id(named):
        wanted = bare_id(named)
        known = [one for one in choices if bare_id(one.id) == wanted]
        return [_of(known[0])] if known else [Source(named)]
    return [_of(one) for one in chosen(NOTION_TOOL, [named], choices)]


def _of(choice: Choice) -> Source:
    return Source(choice.id, name=choice.name)


def _likely(choices: Sequence[Choice]) -> str:
    """The number of the data source that sounds like a roadmap; "" if none does."""
    numbers = [str(n) for n, one in enumerate(choices, 1) if _ROADMAP.search(one.name)]
    return numbers[0] if numbers else "1" if len(choices) == 1 else ""


def _kinds(guide: Guide, sources: list[Source]) -> list[Source]:
    """Which of them hold the initiatives; the kinds of the others by their names."""
    from opsync.contract.examining import Choice

    rows = [Choice(one.id, one.name or one.id) for one in sources]
    named = guide.options.initiatives_in
    if named:
        roots = chosen(replace(NOTION_TOOL, scope="--initiatives-in"), named, rows)
    elif len(sources) == 1 or not guide.desk.attended:
        roots = tuple(rows)
    else:
        roots = guide.desk.pick("Which hold the initiatives", rows, _likely(rows) or "1")
    if len(roots) == len(rows):
        return sources
    ids = {row.id for row in roots}
    found = [one if one.id in ids else replace(one, kind=_kind(one.name)) for one in sources]
    for one in found:
        guide.desk.say(f'"{one.name or one.id}": each page is one {one.kind}')
    return found


def _kind(name: str) -> PageKind:
    return next((kind for kind, sounds in _KINDS if sounds.search(name)), "document")


def _with_columns(guide: Guide, sources: Iterable[Source]) -> tuple[Source, ...]:
    """The columns that options name, for the data sources with the initiatives."""
    options = guide.options
    return tuple(
        replace(
            one,
            status=options.status_column,
            due=options.due_column,
            owner=options.owner_column,
            columns=options.own_columns,
        )
        if one.kind == "initiative"
        else one
        for one in sources
    )


def _columns(
    guide: Guide, answers: NotionAnswers
) -> tuple[NotionAnswers, Findings, tuple[str, ...]]:
    """The columns as they were guessed and agreed to, and those with links."""
    desk = guide.desk
    links = guide.options.tracked_in or None
    while True:
        found = guide.examine(NOTION_TOOL, _narrowed(answers, links or ()))
        answers = replace(answers, sources=_guessed(answers.sources, found.guesses))
        if not desk.attended:
            _check_columns(guide, answers.sources, found.guesses)
        roots = {bare_id(one.id) for one in answers.sources if one.kind == "initiative"}
        if links is None:
            guessed = (one for one in found.guesses if bare_id(one.table) in roots)
            links = tuple(
                dict.fromkeys(one.column for one in guessed if one.role == "links" and one.column)
            )
        for one in answers.sources:
            _show(guide, one, found.guesses, links if bare_id(one.id) in roots else ())
        if not found.guesses or not desk.attended:
            return answers, found, links
        wrong = [check for check in found.checks if check.state == "fail"]
        for check in wrong:
            desk.sign("fail", f"{check.title}: {check.message}", check.hint)
        if desk.agrees("Are these columns right?", default=not wrong):
            return answers, found, links
        answers, links = _corrected(guide, answers, links)


def _narrowed(answers: NotionAnswers, links: tuple[str, ...]) -> NotionAnswers:
    """The answers with which Notion is asked, so that the rows shown are of these columns.

    The rule's own `properties` say it in the file: links elsewhere are still of interest.
    """
    sources = (
        replace(one, links=links) if one.kind == "initiative" else one for one in answers.sources
    )
    return replace(answers, sources=tuple(sources))


def _check_columns(guide: Guide, sources: Iterable[Source], guesses: Sequence[Guess]) -> None:
    """Refuse a column that an option names and a data source has not. Raises ConfigError."""
    options = guide.options
    named = {
        "status": ("--status-column", options.status_column),
        "due": ("--due-column", options.due_column),
        "owner": ("--owner-column", options.owner_column),
    }
    names = {bare_id(one.id): one.name for one in sources if one.kind == "initiative"}
    problems = [
        f'{option} "{wanted}": "{names[table]}" has no column of that name that can hold it.'
        for guess in guesses
        for option, wanted in [named.get(guess.role, ("", ""))]
        if wanted and (table := bare_id(guess.table)) in names and guess.column != wanted
    ]
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))


def _guessed(sources: Sequence[Source], guesses: Sequence[Guess]) -> tuple[Source, ...]:
    """The data sources with the columns that were guessed where none is named.

    A database that was given by its address becomes the data source that it has, if it is the
    only one that is not known by its id.
    """
    tables = list(dict.fromkeys(guess.table for guess in guesses))
    known = {bare_id(one.id) for one in sources}
    strange = [table for table in tables if bare_id(table) not in known]
    lost = [one for one in sources if bare_id(one.id) not in {bare_id(t) for t in tables}]
    if len(strange) == len(lost) == 1:
        sources = [replace(one, id=strange[0]) if one is lost[0] else one for one in sources]
    found = []
    for one in sources:
        columns = {g.role: g.column for g in guesses if bare_id(g.table) == bare_id(one.id)}
        found.append(
            replace(
                one,
                status=one.status or columns.get("status", ""),
                due=one.due or columns.get("due", ""),
                owner=one.owner or columns.get("owner", ""),
            )
        )
    return tuple(found)


def _show(guide: Guide, shown: Source, guesses: Sequence[Guess], links: tuple[str, ...]) -> None:
    """What the columns are taken for, above what stands there in some rows."""
    roles = {g.role: g for g in guesses if bare_id(g.table) == bare_id(shown.id)}
    found = [roles[role] for role in ROLES if role in roles]
    if not found:
        return
    desk = guide.desk
    desk.say(f'Columns of "{shown.name or shown.id}", and what stands there in some rows:')
    named = {"links": ", ".join(links)} if links else {}
    desk.sample(
        [(f"{g.role}: {named.get(g.role, g.column) or NO_COLUMN}", g.examples) for g in found]
    )


def _corrected(
    guide: Guide, answers: NotionAnswers, links: tuple[str, ...]
) -> tuple[NotionAnswers, tuple[str, ...]]:
    """The columns as the person names them."""
    desk = guide.desk
    sources = []
    for one in answers.sources:
        if len(answers.sources) > 1:
            desk.say(f'"{one.name or one.id}":')
        sources.append(
            replace(
                one,
                status=desk.ask("status", one.status),
                due=desk.ask("due", one.due),
                owner=desk.ask("owner", one.owner),
            )
        )
    question = f'links, separated by commas ("{ANY}": any column counts)'
    typed = desk.ask(question, ", ".join(links) or ANY)
    named = tuple(name.strip() for name in typed.split(",") if name.strip())
    return replace(answers, sources=tuple(sources)), () if named == (ANY,) else named


def _own_names(
    guide: Guide, sources: Sequence[Source], checks: Iterable[Check]
) -> tuple[Source, ...]:
    """Other names for those of opsync's columns that people have a column of."""
    found = list(sources)
    for check in checks:
        at = _OWN_NAME.match(check.setting)
        if at is None:
            continue
        guide.desk.sign(check.state, check.message, "" if guide.desk.attended else RENAME)
        if not guide.desk.attended:
            continue
        name = guide.desk.ask("Another name for opsync's (empty: as said)")
        if name:
            one = found[int(at[1])]
            found[int(at[1])] = replace(one, columns={**one.columns, at[2]: name})
    return tuple(found)
