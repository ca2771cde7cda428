"""What `opsync init` writes: answers, laid out as a commented configuration. Pure."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from opsync.cli.init.answers import (
    AnalyticsAnswers,
    Answers,
    Common,
    JiraAnswers,
    LinearAnswers,
    NotionAnswers,
    Part,
    Source,
    Word,
)
from opsync.cli.init.table import BY_NAME, JIRA, LINEAR, NOTION, credentials
from opsync.config import env_name

STAND_IN = "not-here-yet"
"""Stands for a token that is not at hand."""
UNWATCHED = (
    "",
    "# Once runs come by a schedule: how old what was read may be before opsync status turns red.",
    "#[watch]",
    '#fresh_within = "2h"',
    "",
    "# And who hears of it when nobody looks. The addresses are secrets, from the environment:",
    "# OPSYNC_ALERTS__WEBHOOK gets a message when something goes wrong or is over, and",
    "# OPSYNC_ALERTS__ALIVE is asked after each good run, so that a watchdog misses those that do",
    "# not come. To try them: opsync alerts test",
    "#[alerts]",
    '#style = "slack"',
)
"""What is left to whoever runs it by a schedule."""
EXAMPLES = 20
"""So many keys are named in a comment at most."""


def render(answers: Answers) -> str:
    """The configuration as TOML text."""
    lines = [
        "# What opsync connects and what it writes. Every setting there is: opsync config schema",
        "# Environment variables win over this file; secrets belong there, not here.",
        "",
        "# Where opsync keeps what it knows; relative to this file.",
        *_key("store", "opsync.db"),
        '# The zone in which days begin, as in "Europe/Berlin".',
        *_key("time_zone", answers.time_zone),
    ]
    if answers.secrets_dir:
        lines += [
            "# The tokens: one file each, named like its environment variable. Not for version",
            "# control.",
            *_key("secrets_dir", answers.secrets_dir),
        ]
    lines += [
        "",
        "# Items that name each other are linked on both sides.",
        "[links]",
        '# "observe" shows what would be written, "propose" waits for opsync apply, "apply"',
        "# writes it.",
        *_key("mode", answers.mode),
        *_rule(answers),
    ]
    for name, part in answers.parts.items():
        lines += _block(name, part, answers)
    return "\n".join([*lines, *UNWATCHED]) + "\n"


def block_of(part: Part) -> dict[str, Any]:
    """The part's block as it will be read from the file."""
    match part:
        case JiraAnswers():
            name, answers = JIRA, Answers(jira=part)
        case LinearAnswers():
            name, answers = LINEAR, Answers(linear=part)
        case NotionAnswers():
            name, answers = NOTION, Answers(notion=part)
        case AnalyticsAnswers():
            name, answers = part.tool, Answers(analytics=(part,))
    block: dict[str, Any] = tomllib.loads(render(answers))["instances"][name]
    return block


def placeholders(raw: dict[str, Any]) -> dict[str, Any]:
    """The parsed configuration with a stand-in for every credential that is not in it.

    With it the rest can be checked before any token is at hand.
    """
    blocks = {
        name: dict.fromkeys(credentials(block.get("connector", "")), STAND_IN) | block
        for name, block in raw.get("instances", {}).items()
    }
    return {**raw, "instances": blocks}


def _rule(answers: Answers) -> list[str]:
    """Initiatives are the roadmap's pages, else Linear's projects, else Jira's epics."""
    instance, kind = (
        (NOTION, "initiative")
        if answers.notion
        else (LINEAR, "project")
        if answers.linear
        else (JIRA, "epic")
    )
    lines = [
        "",
        "# The delivery summary: what is done, blocked and due over all tools.",
        "[[rollup]]",
        *_key("name", "roadmap"),
        *_key("mode", answers.mode),
    ]
    if answers.tracked_in:
        lines += [
            "# The columns in which people paste links to an initiative's work.",
            *_key("properties", answers.tracked_in),
        ]
    elif answers.notion:
        lines += [
            "# Links in any column count. To count those of some columns only:",
            '# properties = ["Tracked in"]',
        ]
    return [
        *lines,
        "# Where it is written: on the initiative, and on the epics and projects that it names.",
        *_key("write_to", ("root", "containers")),
        *_released(answers),
        "",
        "[rollup.roots]",
        *_key("instance", instance),
        *_key("kind", kind),
        *_metrics(answers),
    ]


def _released(answers: Answers) -> list[str]:
    """When an initiative was released, and where that is told."""
    use, lines = answers.use, []
    if not answers.analytics:
        return []
    if use.released:
        lines += [
            "# The column with the day of the release. Where it is empty: the day on which opsync",
            "# first saw the initiative done.",
            *_key("released", use.released),
        ]
    elif answers.notion:
        lines += [
            "# The day of a release is that on which opsync first saw the initiative done. To take",
            "# it from a column:",
            '#released = "Released"',
        ]
    told = "" if use.announce else "#"
    lines += [
        "# Where an annotation tells of each release"
        + (":" if use.announce else ". To have it told:"),
        *(f"{told}{line}" for line in _key("announce_in", [one.tool for one in answers.analytics])),
    ]
    return lines


def _metrics(answers: Answers) -> list[str]:
    """How the use of initiatives is measured."""
    lines: list[str] = []
    for one in answers.analytics:
        for kind, column in answers.use.columns:
            lines += [
                "",
                f"# Use is measured by the {kind} that this column names.",
                "[[rollup.metric]]",
                *_key("instance", one.tool),
                *_key(f"{kind}_from", column),
            ]
        if not answers.use.columns:
            by = 'flag_from = "Flag"' if answers.notion else 'event = "checkout_paid"'
            lines += [
                "",
                "# Use is measured once this says by what: the column that names it, or one event,",
                "# flag or insight for all.",
                "#[[rollup.metric]]",
                f"#instance = {_quoted(one.tool)}",
                f"#{by}",
            ]
    return lines


def _block(name: str, part: Part, answers: Answers) -> list[str]:
    """A connection. What is read of it comes first: it is what people look for."""
    lines = ["", f"[instances.{name}]"]
    match part:
        case JiraAnswers():
            lines += _scope("projects", part.projects, part.there or ("PAY", "MOB"), "account")
            lines += [*_key("connector", "jira"), *_key("site", part.site)]
            if part.api:
                lines += _key("base_url", part.api)
            if part.datacenter:
                lines += _key("deployment", "datacenter")
            if part.email:
                lines += _key("email", part.email)
        case LinearAnswers():
            lines += _scope("teams", part.teams, part.there or ("GRO",), "token")
            lines += _connector("linear", part)
        case NotionAnswers():
            lines += ["# What is read, one a line; nothing else of the workspace is."]
            lines += ["data_sources = [", *(f"  {_source(one)}," for one in part.sources), "]"]
            lines += _connector("notion", part)
        case AnalyticsAnswers():
            lines += ["# What is measured: this project.", *_key("project", part.project)]
            lines += _connector(part.tool, part)
            if part.region and not part.api:
                lines += _key("region", part.region)
            if part.account:
                lines += _key(part.account_key, part.account)
            if part.time_zone:
                lines += [
                    "# The time zone in which its days begin.",
                    *_key("time_zone", part.time_zone),
                ]
    if not answers.secrets_dir:
        variables = [env_name(name, key) for key in credentials(BY_NAME[name].connector)]
        keys = "The token comes" if variables == [env_name(name, "token")] else "The keys come"
        lines += [f"# {keys} from the environment: {', '.join(variables)}"]
    return [*lines, *_words(name, part)]


def _connector(name: str, part: Common) -> list[str]:
    return [*_key("connector", name), *(_key("base_url", part.api) if part.api else ())]


def _scope(key: str, chosen: Sequence[str], there: Sequence[str], sees: str) -> list[str]:
    """What is read: some of what there is, or all, with how to read less."""
    if chosen:
        return [f"# What is read: these {key} only.", *_key(key, chosen)]
    example = _list(there[:EXAMPLES])
    return [
        f"# What is read: every {key.removesuffix('s')} that the {sees} sees. To read some only:",
        f"#{key} = {example}",
    ]


def _source(source: Source) -> str:
    """One data source as an inline table."""
    pairs = {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "status": source.status,
        "due": source.due,
        "owner": source.owner,
    }
    cells = [f"{key} = {_quoted(value)}" for key, value in pairs.items() if value]
    if source.links:
        cells.append(f"links = {_list(source.links)}")
    if source.columns:
        names = ", ".join(f"{key} = {_quoted(name)}" for key, name in source.columns.items())
        cells.append(f"columns = {{ {names} }}")
    return f"{{ {', '.join(cells)} }}"


def _words(name: str, part: Part) -> list[str]:
    """The words that mean canceled, and those that may."""
    lines: list[str] = []
    tables: tuple[Literal["statuses", "resolutions"], ...] = ("statuses", "resolutions")
    for table in tables:
        canceled, suspects = _of(table, part.canceled), _of(table, part.suspects)
        usual = isinstance(part, JiraAnswers) and table == "resolutions"
        if not (canceled or suspects or usual):
            continue
        lines += [""]
        if usual:
            lines += ["# Jira has no category for canceled work: the resolutions that mean it."]
        lines += [f"[instances.{name}.{table}]"]
        lines += [f'{_quoted(key)} = "canceled"' for key in canceled]
        if suspects:
            lines += ["# These count as done. If they are not, take away the #:"]
            lines += [f'#{_quoted(key)} = "canceled"' for key in suspects]
        if not (canceled or suspects):
            lines += ['#"Won\'t Do" = "canceled"']
    return lines


def _of(table: str, words: Iterable[Word]) -> list[str]:
    return list(dict.fromkeys(word.key for word in words if word.table == table))


def _key(key: str, value: str | Sequence[str]) -> list[str]:
    return [f"{key} = {_quoted(value) if isinstance(value, str) else _list(value)}"]


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(_quoted(one) for one in values)}]"


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
