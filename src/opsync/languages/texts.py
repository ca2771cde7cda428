"""Every text that opsync writes into other tools: its name, where it stands, and its fields.

`at` names places at which opsync has to know its own texts again after its store was lost. A
field's `holds` says what is put in, so that such a text can be told from a person's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Holds = Literal["text", "number", "figure", "change", "date", "health", "status", "texts", "list"]
TITLE_LIMIT = 255
"""Characters of a link's title or label in Jira; Linear's are kept as short."""
TEXT_LIMIT = 2000
"""Characters of a text that Notion keeps in one piece."""


class Field(Struct, frozen=True):
    """A field of a template. `of` names the texts that it holds one of ("texts") or some ("list").

    `optional` says that it may be empty.
    """

    name: str
    about: str
    holds: Holds = "text"
    of: tuple[str, ...] = ()
    optional: bool = False


class TextSpec(Struct, frozen=True, kw_only=True):
    """A text. `about` says where it stands, `limit` how many characters fit there.

    `drop` says that an empty template is right: the text is then left out.
    """

    name: str
    about: str
    fields: tuple[Field, ...] = ()
    at: str = ""
    limit: int | None = None
    drop: bool = False

    @property
    def placed(self) -> bool:
        """Whether it stands somewhere by itself, and not only within other texts."""
        return self.limit is not None or bool(self.at)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in self.fields)


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


def _part(name: str, about: str) -> Field:
    return Field(name, about, "texts", (name,), optional=True)


_USE = _part("use", "as `use` says; empty if nothing is measured, or not yet")
_FIGURE = Field("figure", "how many, or how much", "figure")
_AMOUNTS = ("amount_users", "amount_events", "amount")
_AMOUNT = Field("amount", "as `amount_users`, `amount_events` or `amount` says", "texts", _AMOUNTS)
_BEFORE = Field("before", "the same before the release, as a number", "figure")
_CHANGE = Field("change", 'what changed: "+58 %"', "change")
_DAYS = Field("days", "over how many days", "number")
_HAVE = Field("have", "what there is so far", "number")
_ADOPTIONS = (
    "adoption_since",
    "adoption_after",
    "adoption_alone",
    "adoption_early",
    "adoption_few",
    "adoption_change",
    "adoption_window",
    "metric_unknown",
    "metric_refused",
    "metric_empty",
)
_BLOCKED = _part("blocked", "as `blocked` says; empty if nothing is blocked")
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
    TextSpec(
        name="delivery",
        about="The delivery summary of an initiative.",
        at="delivery",
        fields=(
            Field("head", "as `head` or `head_since` says", "texts", ("head", "head_since")),
            _BLOCKED,
            _part("canceled", "as `canceled` says; empty if nothing is canceled"),
            _part("private", "as `private` says; empty if all teams are open"),
            _part("missing", "as `missing` says; empty if all can be read"),
            _part("scope", "as `scope` says; empty if no work was added lately"),
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
    TextSpec(
        name="use", about="What changed since the release, in brief.", fields=(_CHANGE,), drop=True
    ),
    TextSpec(
        name="adoption",
        about="How much an initiative is used.",
        at="adoption",
        fields=(
            Field("told", "one of the texts below", "texts", _ADOPTIONS),
            _part("as_of", "as `as_of` says; empty if the numbers are of yesterday"),
        ),
        limit=TEXT_LIMIT,
    ),
    TextSpec(
        name="adoption_since",
        about="What changed since the release.",
        fields=(_AMOUNT, _BEFORE, _CHANGE),
    ),
    TextSpec(
        name="adoption_after",
        about="The same once later days do not belong to it any more.",
        fields=(_AMOUNT, _DAYS, _BEFORE, _CHANGE),
    ),
    TextSpec(
        name="adoption_alone",
        about="The same where too little was counted before to compare.",
        fields=(_AMOUNT,),
    ),
    TextSpec(
        name="adoption_early",
        about="In the first days after the release.",
        fields=(_HAVE, Field("need", "how many days are needed", "number")),
    ),
    TextSpec(
        name="adoption_few",
        about="While too little was counted since the release.",
        fields=(_HAVE, Field("need", "how much is needed, as an amount", "texts", _AMOUNTS)),
    ),
    TextSpec(
        name="adoption_change",
        about="The use of what is not shipped yet, against as many days before.",
        fields=(_AMOUNT, _CHANGE, _DAYS),
    ),
    TextSpec(
        name="adoption_window",
        about="The same where nothing was counted before.",
        fields=(_AMOUNT,),
    ),
    TextSpec(name="amount_users", about="Unique users.", fields=(_FIGURE,)),
    TextSpec(name="amount_events", about="How often something was used.", fields=(_FIGURE,)),
    TextSpec(name="amount", about="What a saved insight shows.", fields=(_FIGURE,)),
    TextSpec(
        name="as_of",
        about="The day of numbers that could not be read anew.",
        fields=(_DATE,),
        drop=True,
    ),
    TextSpec(
        name="metric_unknown",
        about="Where the analytics tool has nothing of that name.",
        fields=(
            _TOOL,
            Field("what", "as `metric_event`, `metric_flag` or `metric_insight` says"),
            Field("name", "the name that was asked for"),
            Field("nearest", "the names that come nearest", optional=True),
        ),
    ),
    TextSpec(name="metric_refused", about="Where it refuses the query.", fields=(_TOOL,)),
    TextSpec(name="metric_empty", about="Where its project has no data.", fields=(_TOOL,)),
    TextSpec(name="metric_event", about="What an event is called."),
    TextSpec(name="metric_flag", about="What a feature flag is called."),
    TextSpec(name="metric_insight", about="What a saved insight, chart or report is called."),
    TextSpec(
        name="shipped",
        about="An annotation in the analytics tool; opsync's marker follows.",
        fields=(
            Field("item", "the initiative's title"),
            Field("url", "its link"),
        ),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="shipped_seen",
        about="The same where only the day is known on which it was first seen done.",
        fields=(
            Field("item", "the initiative's title"),
            Field("url", "its link"),
            _DATE,
        ),
        limit=TITLE_LIMIT,
    ),
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


def field_names(fields: Iterable[Field]) -> tuple[str, ...]:
    """Their names."""
    return tuple(field.name for field in fields)
