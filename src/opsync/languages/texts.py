"""Every text that opsync writes into other tools, in the order in which they are told."""

from __future__ import annotations

from opsync.languages.spec import TEXT_LIMIT, TITLE_LIMIT, Field, TextSpec, part
from opsync.languages.using import USE, USING

_DONE = Field("done", "how many items are done", "number")
_TOTAL = Field("total", "how many items count", "number")
_COUNT = Field("count", "how many", "number")
_DATE = Field("date", "the day", "date")
_TOOL = Field("tool", 'the tool: "Jira"')
_TITLE = Field("title", "the item's title")
_SPACE = Field("space", "its project, team or data source", optional=True)
_ITEM = Field("item", "what the item is called, as `item`, `page` or `private_item` says")
_HEALTH = Field("health", "the health, within a text", "health", optional=True)
_MOOD = Field("health", "the health if it is at risk, off track or paused", "health", optional=True)
_USE = part("use", "as `use` says; empty if nothing is measured, or not yet")
_BLOCKED = part("blocked", "as `blocked` says; empty if nothing is blocked")
_SHORT = Field("short", "as `short` says", "texts", ("short",))

_ALL = (
    TextSpec(
        name="item",
        about="What an item with a key and a title is called; with one of both it is called so.",
        fields=(Field("key", "its key"), _TITLE, _TOOL, _SPACE),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="page",
        about="What a page of a data source with a name is called.",
        fields=(Field("space", "the data source"), _TITLE, _TOOL),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="private_item",
        about="What private work is called of which neither key nor title may be shown.",
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="link_subtitle",
        about="Below a link on a Linear issue.",
        fields=(_TOOL, Field("status", "the status category, within a text", "status", (), True)),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="tracked_in",
        about="Above links to epics, projects, initiatives and pages on a Jira issue.",
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="relates_to",
        about="Above links to single items on a Jira issue.",
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="roadmap",
        about="Above the link to its initiative on a Jira epic.",
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="roadmap_link",
        about="The title of the link to its initiative on a Jira epic, and in project updates.",
        fields=(
            _ITEM,
            Field("title", "the initiative's title", optional=True),
            _TOOL,
            _SPACE,
        ),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="roadmap_label",
        about="The link to its initiative on a Linear project.",
        fields=(
            Field("link", "as `roadmap_link` says", "texts", ("roadmap_link",)),
            _SHORT,
            _DONE,
            _TOTAL,
            _MOOD,
            _USE,
        ),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="project_update",
        about="A Linear project update, where they are asked for.",
        fields=(Field("link", "the initiative, as a link"), _HEALTH),
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="summary",
        about="Below the link to its initiative on a Jira epic.",
        fields=(_DONE, _TOTAL, _BLOCKED, _MOOD, _USE),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="short",
        about="The numbers in the link to its initiative on a Linear project.",
        fields=(_DONE, _TOTAL, _BLOCKED, _MOOD, _USE),
    ),
    USE,
    TextSpec(
        name="delivery",
        about="The delivery summary of an initiative.",
        at="delivery",
        fields=(
            Field("head", "as `head` or `head_since` says", "texts", ("head", "head_since")),
            _BLOCKED,
            part("canceled", "as `canceled` says; empty if nothing is canceled"),
            part("private", "as `private` says; empty if all teams are open"),
            part("missing", "as `missing` says; empty if all can be read"),
            part("scope", "as `scope` says; empty if no work was added lately"),
            Field(
                "spaces",
                "each team or project, as `space` says, if several have work and some is left",
                "list",
                ("space",),
                optional=True,
            ),
            Field(
                "why",
                "as `why` says; the health alone if it is paused, empty if all is well",
                "texts",
                ("why",),
                optional=True,
            ),
            _DONE,
            _TOTAL,
            Field("percent", "how many in a hundred are done", "number", optional=True),
            _HEALTH,
            Field("due", "the due date", "date", optional=True),
        ),
        limit=TEXT_LIMIT,
    ),
    TextSpec(name="head", about="How far the work is.", fields=(_DONE, _TOTAL)),
    TextSpec(
        name="head_since",
        about="The same when all is done, with the day on which it was.",
        fields=(_DONE, _TOTAL, _DATE),
    ),
    TextSpec(name="blocked", about="Blocked work.", fields=(_COUNT,), drop=True),
    TextSpec(name="canceled", about="Canceled work.", fields=(_COUNT,), drop=True),
    TextSpec(name="private", about="Work in private teams.", fields=(_COUNT,), drop=True),
    TextSpec(name="missing", about="Linked work that cannot be read.", fields=(_COUNT,), drop=True),
    TextSpec(name="scope", about="Work that was added lately.", fields=(_COUNT, _DATE), drop=True),
    TextSpec(
        name="space",
        about="One team or project.",
        fields=(Field("name", "its name"), _DONE, _TOTAL),
        drop=True,
    ),
    TextSpec(
        name="why",
        about="Why an initiative is at risk or off track, in words that hold tomorrow.",
        fields=(
            Field("health", "the health, within a text", "health"),
            Field("facts", "as `share` and `due` say, as far as known", "list", ("share", "due")),
        ),
        drop=True,
    ),
    TextSpec(
        name="share",
        about="The share that is done, among the facts.",
        fields=(Field("percent", "how many in a hundred", "number"), _DONE, _TOTAL),
        drop=True,
    ),
    TextSpec(name="due", about="The due date, among the facts.", fields=(_DATE,), drop=True),
    TextSpec(
        name="list",
        about="How teams or facts follow on each other.",
        fields=(Field("one", "what stands before"), Field("other", "the next one")),
    ),
    TextSpec(
        name="stale",
        about="The delivery summary while a tool cannot be read.",
        at="delivery",
        fields=(_DONE, _TOTAL, _DATE, _TOOL),
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="no_work",
        about="The delivery summary of an initiative without work, where no other tool is read.",
        at="delivery",
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="no_work_column",
        about="The delivery summary of an initiative without work: what to paste, and where.",
        at="delivery",
        fields=(Field("tools", "the other tools, as `either` says"), Field("column", "the column")),
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="no_work_page",
        about="The same where links count wherever they stand on the page.",
        at="delivery",
        fields=(Field("tools", "the other tools, as `either` says"),),
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="either",
        about="How the tools that one may paste from follow on each other.",
        fields=(Field("one", "what stands before"), Field("other", "the next one")),
    ),
    TextSpec(
        name="container",
        about="An epic or project with a key, among an initiative's work.",
        at="work",
        fields=(_ITEM, _TOOL, _DONE, _TOTAL),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="container_without_key",
        about="An epic or project without a key, among an initiative's work.",
        at="work",
        fields=(_TITLE, _TOOL, _DONE, _TOTAL),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="more", about="Work that is not listed for its number.", at="work", fields=(_COUNT,)
    ),
    TextSpec(name="more_one", about="The same, of one item.", at="work", fields=(_COUNT,)),
    TextSpec(
        name="not_named",
        about="The same where nothing could be listed, since all is private.",
        at="work",
        fields=(_COUNT,),
    ),
    *USING,
    TextSpec(
        name="column_note",
        about="The description of the columns that opsync makes in Notion.",
        at="column_note",
        limit=280,
    ),
)

TEXTS = {spec.name: spec for spec in _ALL}
"""All texts by name, in the order in which they are told."""

DATE = (
    Field("day", 'the day: "1"'),
    Field("day2", 'the day in two digits: "01"'),
    Field("month", 'the month, short: "Dec"'),
    Field("month_name", 'the month in full: "December"'),
    Field("month_number", 'the month as a number: "12"'),
    Field("month2", 'the same in two digits: "12"'),
    Field("year", 'the year: "2026"'),
)
"""The fields of a date."""
