"""What is told of the use of an initiative, and of its release, as people read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsync.contract.connector import Surface, Writable
from opsync.desire import Setting, desire
from opsync.engine.examples import examples
from opsync.engine.examples_used import USED
from opsync.engine.trying import _Heard
from opsync.languages import LANGUAGES, TEXTS, Changed, OwnWords, Words, words_of
from opsync.languages.spec import TITLE_LIMIT
from opsync.model import (
    Adoption,
    Card,
    Change,
    Content,
    Counts,
    Early,
    Effect,
    Health,
    Kind,
    Metric,
    MetricKind,
    Outcome,
    Record,
    Ref,
    Release,
    ReleaseContent,
    Rollup,
    Seen,
    Span,
    Value,
    marker_of,
)
from opsync.model.metric import Trouble
from opsync.model.rules import LinkSettings, Mode, RollupRule, Roots
from opsync.stages.places import Want
from opsync.wording import adoption, card, release_content, release_reason, rollup_content
from tests.support.build import record, ref

ENGLISH, GERMAN = words_of("en"), words_of("de")
RELEASED = date(2026, 11, 3)
LAST = date(2026, 11, 21)
TOOLS = {"posthog": "PostHog"}
CHANGED = Effect(weeks=2, before=24, after=38, ratio=38 / 24, low=1.4, high=1.8)


def metric(
    kind: MetricKind = MetricKind.event, counts: Counts = Counts.users, name: str = "payout_sent"
) -> Metric:
    return Metric("posthog", kind, name, counts)


def used(per_day: float = 40, *, last: date = LAST, **more: object) -> Adoption:
    made = Adoption(metric=metric(), window=Span.ending(last, 28), per_day=per_day)
    return msgspec.structs.replace(made, **more)


def in_trouble(trouble: Trouble, kind: MetricKind = MetricKind.event, *nearest: str) -> Adoption:
    return Adoption(metric=metric(kind, name="payout_snt"), trouble=trouble, nearest=nearest)


def rollup(*adoptions: Adoption, release: Release | None = None) -> Rollup:
    return Rollup(
        rule="roadmap",
        root=ref("p", "notion"),
        counts={},
        done=14,
        total=14,
        progress=1,
        health=Health.done,
        adoption=adoptions,
        released=release,
    )


def shipped(effect: Effect | None, *, per_day: float = 40, last: date = LAST) -> Rollup:
    return rollup(used(per_day, last=last, effect=effect), release=Release(RELEASED, "completed"))


def few(have: int, need: int = 30) -> Effect:
    return Effect(weeks=2, before=3, after=have / 14, early=Early("users since", have, need))


def alone(before: float) -> Effect:
    early = Early("users before", round(14 * before), 30)
    return Effect(weeks=2, before=before, after=38, early=early)


OVER = RELEASED + timedelta(days=21)
"""The first day on which a week has passed that is not compared with."""


@pytest.mark.parametrize(
    ("made", "english", "german"),
    [
        (
            shipped(CHANGED),
            "38 users a day since release, 24 before (+58 %)",
            "38 Nutzer pro Tag seit Veröffentlichung, vorher 24 (+58 %)",
        ),
        (
            shipped(CHANGED, last=OVER),
            "38 users a day in the 14 days after release, 24 before (+58 %)",
            "38 Nutzer pro Tag in den 14 Tagen nach Veröffentlichung, vorher 24 (+58 %)",
        ),
        (
            shipped(CHANGED, last=OVER - timedelta(days=1)),
            "38 users a day since release, 24 before (+58 %)",
            "38 Nutzer pro Tag seit Veröffentlichung, vorher 24 (+58 %)",
        ),
        (
            shipped(Effect(weeks=2, before=3.5, after=1, ratio=2 / 7)),
            "1 user a day since release, 3.5 before (−71 %)",
            "1 Nutzer pro Tag seit Veröffentlichung, vorher 3,5 (−71 %)",
        ),
        (
            shipped(Effect(weeks=2, before=30, after=30.04, ratio=30.04 / 30)),
            "30 users a day since release, 30 before (±0 %)",
            "30 Nutzer pro Tag seit Veröffentlichung, vorher 30 (±0 %)",
        ),
        (
            shipped(Effect(weeks=4, before=920, after=12_400.4, ratio=12_400.4 / 920)),
            "12,400 users a day since release, 920 before (+1,248 %)",
            "12.400 Nutzer pro Tag seit Veröffentlichung, vorher 920 (+1.248 %)",
        ),
        (
            shipped(alone(0)),
            "38 users a day since release, none before",
            "38 Nutzer pro Tag seit Veröffentlichung, vorher keine",
        ),
        (
            shipped(alone(0.4)),
            "38 users a day since release, too little before to compare",
            "38 Nutzer pro Tag seit Veröffentlichung, vorher zu wenig für einen Vergleich",
        ),
        (
            shipped(Effect(weeks=0, before=24, after=0, early=Early("days", 0, 7))),
            "Too early: 0 of 7 days since release",
            "Zu früh: 0 von 7 Tagen seit Veröffentlichung",
        ),
        (
            shipped(few(12)),
            "Too early: 12 users since release, 30 needed",
            "Zu früh: 12 Nutzer seit Veröffentlichung, 30 nötig",
        ),
        (
            shipped(few(1)),
            "Too early: 1 user since release, 30 needed",
            "Zu früh: 1 Nutzer seit Veröffentlichung, 30 nötig",
        ),
        (
            shipped(few(0), last=OVER),
            "Too few to compare: 0 users in the 14 days after release, 30 needed",
            (
                "Zu wenig für einen Vergleich: 0 Nutzer in den 14 Tagen nach Veröffentlichung, "
                "30 nötig"
            ),
        ),
        (
            rollup(used(40, change=0.05)),
            "40 users a day, +5 % against the 28 days before",
            "40 Nutzer pro Tag, +5 % gegenüber den 28 Tagen davor",
        ),
        (rollup(used(40)), "40 users a day", "40 Nutzer pro Tag"),
        (rollup(used(0)), "0 users a day", "0 Nutzer pro Tag"),
        (rollup(used(0.04)), "0.04 users a day", "0,04 Nutzer pro Tag"),
        (rollup(used(1)), "1 user a day", "1 Nutzer pro Tag"),
        (rollup(used(0.998)), "1 user a day", "1 Nutzer pro Tag"),
        (
            rollup(used(40, metric=metric(counts=Counts.events), change=-0.12)),
            "40 uses a day, −12 % against the 28 days before",
            "40 Nutzungen pro Tag, −12 % gegenüber den 28 Tagen davor",
        ),
        (
            rollup(used(1, metric=metric(MetricKind.flag, Counts.events))),
            "1 use a day",
            "1 Nutzung pro Tag",
        ),
        (rollup(used(3.42, metric=metric(MetricKind.insight))), "3.4 a day", "3,4 pro Tag"),
        (rollup(used(1, metric=metric(MetricKind.insight))), "1 a day", "1 pro Tag"),
        (
            rollup(used(40, last=date(2026, 11, 18), stale=True, change=0.05)),
            "40 users a day, +5 % against the 28 days before · as of 18 Nov",
            "40 Nutzer pro Tag, +5 % gegenüber den 28 Tagen davor · Stand 18. Nov.",
        ),
        (
            rollup(in_trouble("unknown", MetricKind.event, "payout_sent", "payout_seen")),
            'Not measured: PostHog has no event "payout_snt" · nearest: payout_sent, payout_seen',
            (
                "Nicht gemessen: Ereignis „payout_snt“ fehlt in PostHog · ähnlich: payout_sent, "
                "payout_seen"
            ),
        ),
        (
            rollup(in_trouble("unknown", MetricKind.flag)),
            'Not measured: PostHog has no flag "payout_snt"',
            "Nicht gemessen: Flag „payout_snt“ fehlt in PostHog",
        ),
        (
            rollup(in_trouble("unknown", MetricKind.insight, "a", "b", "c", "d")),
            'Not measured: PostHog has no insight "payout_snt" · nearest: a, b, c',
            "Nicht gemessen: Auswertung „payout_snt“ fehlt in PostHog · ähnlich: a, b, c",
        ),
        (
            rollup(in_trouble("refused")),
            "Not measured: PostHog refused the query",
            "Nicht gemessen: PostHog hat die Abfrage abgelehnt",
        ),
        (
            rollup(in_trouble("empty")),
            "Not measured: PostHog has no data yet",
            "Nicht gemessen: PostHog hat noch keine Daten",
        ),
        (rollup(), "", ""),
        (rollup(Adoption(metric=metric())), "", ""),
    ],
)
def test_use_is_told_as_people_read_it(made: Rollup, english: str, german: str) -> None:
    assert adoption(made, TOOLS, today=LAST) == english
    assert adoption(made, TOOLS, today=LAST, words=GERMAN) == german


def test_numbers_of_another_year_are_told_with_it() -> None:
    old = rollup(used(40, last=date(2025, 12, 30), stale=True))
    assert adoption(old, TOOLS, today=LAST) == "40 users a day · as of 30 Dec 2025"


def test_without_a_day_of_release_the_window_is_told() -> None:
    made = rollup(used(40, change=0.05), release=Release(None, "unknown"))
    assert adoption(made, TOOLS) == "40 users a day, +5 % against the 28 days before"


def test_of_several_metrics_the_first_is_told() -> None:
    made = rollup(used(40), used(7))
    assert adoption(made, TOOLS) == "40 users a day"


def test_no_text_says_that_the_release_was_the_cause() -> None:
    for language in LANGUAGES:
        said = " ".join(template.source for template in words_of(language).texts.values()).lower()
        for word in ("cause", "because", "thanks to", "due to", "dank ", "wegen", "durch "):
            assert word not in said


def test_templates_and_separators_may_be_others() -> None:
    words = words_of(
        "en",
        Changed(
            separator=" | ",
            texts={"adoption_since": "{change} ({before} → {amount})", "amount_users": "{figure}"},
        ),
    )
    stale = rollup(used(40, stale=True, effect=CHANGED), release=Release(RELEASED, "completed"))
    assert adoption(stale, TOOLS, today=LAST, words=words) == "+58 % (24 → 38) | as of 21 Nov"


# In brief ---------------------------------------------------------------------------------------


def in_brief(
    made: Rollup, words: Words = ENGLISH, label: str = "Instant payouts"
) -> tuple[str, str]:
    """The summary below the link on a Jira epic, and the label of the one on a Linear project."""
    root = Card(made.root, Kind.initiative, label, "https://n.example/1", "Notion")
    content = rollup_content(
        made,
        root,
        {},
        paste_into="",
        paste_tools=(),
        stale=None,
        changed_on=LAST,
        at_root=False,
        measured_in=TOOLS,
        words=words,
    )
    return content.summary, content.label


def test_what_changed_stands_at_the_end_of_the_numbers_in_jira_and_linear() -> None:
    assert in_brief(shipped(CHANGED)) == (
        "14/14 done · usage +58 %",
        "Instant payouts · 14/14 · usage +58 %",
    )
    assert in_brief(shipped(CHANGED), GERMAN) == (
        "14/14 erledigt · Nutzung +58 %",
        "Instant payouts · 14/14 · Nutzung +58 %",
    )


@pytest.mark.parametrize(
    "made",
    [
        rollup(),
        rollup(used(40, change=0.05)),
        rollup(in_trouble("refused")),
        shipped(few(12)),
        shipped(alone(0)),
        shipped(None),
    ],
    ids=["not measured", "not shipped", "in trouble", "too early", "new", "days unknown"],
)
def test_without_a_change_they_say_what_they_said_before(made: Rollup) -> None:
    assert in_brief(made) == ("14/14 done", "Instant payouts · 14/14")


@pytest.mark.parametrize("words", [ENGLISH, GERMAN])
def test_with_it_the_longest_title_still_fits(words: Words) -> None:
    longest = card(page("x" * 500, space="Roadmap"), "Notion", "nothing", words).label
    made = msgspec.structs.replace(shipped(CHANGED), health=Health.off_track)
    summary, label = in_brief(made, words, longest)
    assert len(longest) >= 200
    assert label.endswith("+58 %")
    assert len(label) <= TITLE_LIMIT
    assert len(summary) <= TITLE_LIMIT


def test_the_part_can_be_left_out() -> None:
    words = words_of("en", Changed(texts={"use": ""}))
    assert in_brief(shipped(CHANGED), words)[0] == "14/14 done"


# Known again ------------------------------------------------------------------------------------

OWN = OwnWords()
OWN.says("adoption", "compiled once, so that no test waits for it")


def texts_of(words: Words) -> Iterator[str]:
    """All that the made-up initiatives make it say of their use."""
    heard = _Heard.of(words)
    for example in examples():
        example.say(heard)
    return (text for name, text in heard.said if TEXTS[name].at == "adoption")


@pytest.mark.parametrize("written", LANGUAGES)
@pytest.mark.parametrize("now", LANGUAGES)
def test_it_is_known_again_whatever_language_is_configured_now(written: str, now: str) -> None:
    own = OwnWords(words_of(now, Changed(separator=" — ")))
    said = list(texts_of(words_of(written)))
    assert len(said) >= len(USED)
    assert [text for text in said if not own.says("adoption", text)] == []


@given(
    st.floats(0, 1e12) | st.integers(0, 10**9),
    st.floats(0, 1e6),
    st.floats(1e-3, 1e3),
    st.sampled_from(LANGUAGES),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_any_numbers_are_known_again(
    after: float, before: float, ratio: float, language: str, last: date
) -> None:
    words = words_of(language)
    effect = Effect(weeks=2, before=before, after=after, ratio=ratio)
    one = used(after, stale=True, effect=effect)
    one = msgspec.structs.replace(one, window=Span(last, last))
    for made in (rollup(one, release=Release(RELEASED, "saw")), rollup(one)):
        text = adoption(made, TOOLS, today=LAST, words=words)
        assert OWN.says("adoption", text), text


@given(st.text(min_size=1, max_size=60).filter(str.isprintable), st.sampled_from(LANGUAGES))
def test_any_name_that_was_asked_for_is_known_again(name: str, language: str) -> None:
    one = Adoption(metric=metric(name=name), trouble="unknown", nearest=(name, "other"))
    text = adoption(rollup(one), TOOLS, words=words_of(language))
    assert OWN.says("adoption", text), text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "38",
        "Everybody loves it",
        "38 users a day, says Ana",
        "About 38 users a day",
        "38 users a day since release",
        "38 users a day since release, 24 before",
        "38 users a day since release, 24 before (a lot more)",
        "38 users a day since release, 24 before (+58 %) · ask Ana",
        "38 users a week since release, 24 before (+58 %)",
        "many users a day",
        "Too early",
        "Too early: ask again in May",
        "Too early: 3 of 7 days since release, says Ben",
        "Not measured",
        "Not measured: nobody asked",
        "Not measured: PostHog refused the query again",
        'Not measured: PostHog has no dashboard "checkout"',
        "as of 18 Nov",
        "38 Leute am Tag",
        "12 of 20 done",
        'Not measured: PostHog has no event "' + "x" * 2000 + '"',
    ],
)
def test_a_person_s_text_is_not_taken_for_opsync_s(text: str) -> None:
    assert not OWN.says("adoption", text)


def test_what_is_told_of_use_is_no_delivery_summary_and_the_other_way_round() -> None:
    assert not any(OWN.says("delivery", text) for text in texts_of(ENGLISH))
    assert not OWN.says("adoption", "12 of 20 done · 3 blocked")


# Releases ---------------------------------------------------------------------------------------


def page(title: str = "Instant payouts", **more: object) -> Record:
    return record(
        "p", instance="notion", kind=Kind.initiative, title=title, url="https://n.example/p", **more
    )


def told(title: str = "Instant payouts", how: str = "completed", words: Words = ENGLISH) -> str:
    release = Release(RELEASED, how)  # type: ignore[arg-type]  # one of the four
    return release_content(card(page(title), "Notion", "nothing"), release, words).text


@pytest.mark.parametrize(
    ("how", "english", "german"),
    [
        (
            "completed",
            "Shipped: Instant payouts https://n.example/p ",
            "Veröffentlicht: Instant payouts https://n.example/p ",
        ),
        (
            "property",
            "Shipped: Instant payouts https://n.example/p ",
            "Veröffentlicht: Instant payouts https://n.example/p ",
        ),
        (
            "saw",
            "Shipped: Instant payouts (first seen done 3 Nov) https://n.example/p ",
            (
                "Veröffentlicht: Instant payouts (erstmals als erledigt gesehen am 3. Nov.) "
                "https://n.example/p "
            ),
        ),
    ],
)
def test_a_release_names_the_initiative_its_link_and_how_its_day_is_known(
    how: str, english: str, german: str
) -> None:
    marker = marker_of(page().ref)
    assert (told(how=how), told(how=how, words=GERMAN)) == (english + marker, german + marker)


def test_a_release_ends_with_its_marker_whatever_the_title() -> None:
    for title in ("Instant payouts", "{item} [opsync:00000000] · x", "Ünï 🧨"):
        assert told(title).endswith(f" {marker_of(page().ref)}")
        assert f" {title} " in told(title)


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_marker_is_the_initiative_s_for_good_and_no_other_s(one: str, other: str) -> None:
    first, second = Ref("notion", "page", one), Ref("notion", "page", other)
    assert (marker_of(first) == marker_of(second)) == (one == other)
    assert msgspec.json.decode(f'"{marker_of(first)}"')[:8] == "[opsync:"
    assert len(marker_of(first)) == len("[opsync:3f2a91c0]")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("completed", "its own status is done; the day is that of its completion"),
        ("property", 'its own status is done; the day is in its "Released"'),
        ("saw", "its own status is done; the day is the one on which it was first seen done"),
    ],
)
def test_the_reason_says_where_the_day_comes_from(how: str, why: str) -> None:
    assert release_reason(Release(RELEASED, how), "Released") == why  # type: ignore[arg-type]  # one of the four


class Project(Writable):
    """An analytics tool that shows an annotation as it is worded."""

    surfaces: ClassVar = (
        Surface("annotation", "release", frozenset({Kind.product}), ("Note",), title="Annotation"),
    )

    def render(self, surface: str, target: Record, content: Content) -> Value:
        return content.text if isinstance(content, ReleaseContent) else None

    async def observe(self, target: Record) -> Sequence[Seen]:
        return ()

    def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        raise NotImplementedError


COMPLETED = Release(RELEASED, "completed")
PRODUCT = Record(ref=Ref("posthog", "project", "1"), kind=Kind.product, title="Harbor")


def wanted(
    root: Record,
    release: Release | None = COMPLETED,
    *,
    expose: str = "nothing",
    announced_in: tuple[Ref, ...] = (PRODUCT.ref,),
    rules: tuple[str, ...] = ("roadmap",),
) -> list[Want]:
    """What should stand in the analytics project."""
    setting = Setting(
        tools={"notion": "Notion", **TOOLS},
        expose={"notion": expose},
        rules={name: RollupRule(name, Roots("notion"), Mode.apply) for name in rules},
        links=LinkSettings(),
        as_of=LAST,
    )
    rollups = [
        (
            Rollup(
                rule=name,
                root=root.ref,
                counts={},
                done=1,
                total=1,
                released=release,
                announced_in=announced_in,
            ),
            root,
        )
        for name in rules
    ]
    return desire(PRODUCT, (), {}, rollups, Project(), setting)


def test_a_release_is_wanted_where_it_is_announced() -> None:
    [want] = wanted(page())
    assert (want.value, want.writes) == (told(), True)
    assert want.slot.other == page().ref
    assert wanted(page(), announced_in=()) == []


def test_without_a_day_nothing_is_announced() -> None:
    assert wanted(page(), None) == []
    assert wanted(page(), Release(None, "unknown")) == []


def test_two_rules_over_one_initiative_announce_it_once() -> None:
    assert len(wanted(page(), rules=("roadmap", "second"))) == 1


@pytest.mark.parametrize(
    ("expose", "said"),
    [("nothing", []), ("key", ["Shipped: K-9 "]), ("title", ["Shipped: Instant payouts "])],
)
def test_a_private_initiative_is_announced_as_far_as_it_may_be_shown(
    expose: str, said: list[str]
) -> None:
    wants = wanted(page(key="K-9", private=True), expose=expose)
    assert [str(want.value).partition("https://")[0] for want in wants] == said
    assert all("Instant" not in str(want.value) for want in wants) == (expose != "title")
