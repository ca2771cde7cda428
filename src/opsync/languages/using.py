"""The texts about how much an initiative is used, and that it was shipped."""

from __future__ import annotations

from opsync.languages.spec import TEXT_LIMIT, TITLE_LIMIT, Field, TextSpec, part

_AMOUNTS = ("amount_users", "amount_users_one", "amount_events", "amount_events_one", "amount")
_WHATS = ("metric_event", "metric_flag", "metric_insight")
_TOLD = (
    "adoption_since",
    "adoption_after",
    "adoption_new",
    "adoption_alone",
    "adoption_early",
    "adoption_few",
    "adoption_too_few",
    "adoption_change",
    "adoption_window",
    "metric_unknown",
    "metric_refused",
    "metric_empty",
)
_AMOUNT = Field("amount", "how much, as one of the texts `amount…` says", "texts", _AMOUNTS)
_FIGURE = Field("figure", "how many, or how much", "figure")
_BEFORE = Field("before", "the same before the release, as a number", "figure")
_CHANGE = Field("change", 'what changed: "+58 %"', "change")
_DAYS = Field("days", "over how many days", "number")
_NEED = Field("need", "how much is needed to compare", "number")
_TOOL = Field("tool", 'the analytics tool: "PostHog"')
_SHIPPED = Field("item", "the initiative's title, or its key")
_URL = Field("url", "its link")

USE = TextSpec(
    name="use", about="What changed since the release, in brief.", fields=(_CHANGE,), drop=True
)

USING = (
    TextSpec(
        name="adoption",
        about="How much an initiative is used.",
        at="adoption",
        fields=(
            Field("told", "one of the texts `adoption_…` or `metric_…` below", "texts", _TOLD),
            part("as_of", "as `as_of` says; empty if the numbers are new"),
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
        about="The same once later days are not compared any more.",
        fields=(_AMOUNT, _DAYS, _BEFORE, _CHANGE),
    ),
    TextSpec(
        name="adoption_new",
        about="The use since the release of what was not used before it.",
        fields=(_AMOUNT,),
    ),
    TextSpec(
        name="adoption_alone",
        about="The same where too little was counted before it to compare.",
        fields=(_AMOUNT,),
    ),
    TextSpec(
        name="adoption_early",
        about="In the first days after the release.",
        fields=(Field("have", "how many days there are", "number"), _NEED),
    ),
    TextSpec(
        name="adoption_few",
        about="While too little was counted since the release.",
        fields=(_AMOUNT, _NEED),
    ),
    TextSpec(
        name="adoption_too_few",
        about="The same once later days are not compared any more.",
        fields=(_AMOUNT, _DAYS, _NEED),
    ),
    TextSpec(
        name="adoption_change",
        about="The use of what is not shipped, against as many days before.",
        fields=(_AMOUNT, _CHANGE, _DAYS),
    ),
    TextSpec(
        name="adoption_window",
        about="The same where nothing was counted before.",
        fields=(_AMOUNT,),
    ),
    TextSpec(name="amount_users", about="Unique users.", fields=(_FIGURE,)),
    TextSpec(name="amount_users_one", about="One user.", fields=(_FIGURE,)),
    TextSpec(name="amount_events", about="How often something was used.", fields=(_FIGURE,)),
    TextSpec(name="amount_events_one", about="The same, once.", fields=(_FIGURE,)),
    TextSpec(
        name="amount",
        about="What a saved insight, chart or report shows: its unit is not known.",
        fields=(_FIGURE,),
    ),
    TextSpec(
        name="as_of",
        about="The day of numbers that could not be read anew.",
        fields=(Field("date", "the day", "date"),),
        drop=True,
    ),
    TextSpec(
        name="metric_unknown",
        about="Where the analytics tool has nothing of that name.",
        fields=(
            _TOOL,
            Field("what", "as one of the next three texts `metric_…` says", "texts", _WHATS),
            Field("name", "the name that was asked for"),
            Field("nearest", "the names that come nearest", optional=True),
        ),
    ),
    TextSpec(name="metric_event", about="What an event is called."),
    TextSpec(name="metric_flag", about="What a feature flag is called."),
    TextSpec(name="metric_insight", about="What a saved insight, chart or report is called."),
    TextSpec(
        name="metric_refused", about="Where the analytics tool refuses the query.", fields=(_TOOL,)
    ),
    TextSpec(name="metric_empty", about="Where its project has no data at all.", fields=(_TOOL,)),
    TextSpec(
        name="shipped",
        about="An annotation in the analytics tool; opsync's marker follows.",
        fields=(_SHIPPED, _URL),
        limit=TITLE_LIMIT,
    ),
    TextSpec(
        name="shipped_seen",
        about="The same where nothing but the day is known on which it was first seen done.",
        fields=(_SHIPPED, _URL, Field("date", "that day", "date")),
        limit=TITLE_LIMIT,
    ),
)
"""In the order in which they are told."""
