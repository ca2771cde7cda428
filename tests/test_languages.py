"""The languages: complete, alike, and right in their templates; and how templates are read."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from itertools import pairwise
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsync.blocks.wording import WORD_LIMIT, WordingBlock
from opsync.engine.examples import examples
from opsync.engine.trying import _Heard
from opsync.inert import inert_text
from opsync.languages import (
    ENGLISH,
    LANGUAGES,
    TEXTS,
    Changed,
    OwnWords,
    TemplateError,
    compile_template,
    words_of,
)
from opsync.languages.words import load
from opsync.model import Category, Health

LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
INERT = st.text(max_size=40).map(inert_text)
BRACES = st.sampled_from(["{count}", "{{", "}}", " · ", "{0}", "{done.real}", "%s", "\\1", "·"])
HOSTILE = st.lists(st.one_of(BRACES, INERT), max_size=6).map("".join).map(inert_text)


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_the_settings_offer_every_language_that_has_a_file() -> None:
    annotation = WordingBlock.model_fields["language"].annotation
    assert getattr(annotation, "__args__", ()) == LANGUAGES


@LANGUAGE
def test_a_language_has_every_text_and_every_word_and_no_other(language: str) -> None:
    found = load(language)
    assert list(found.texts) == list(TEXTS)
    for words in (found.health, found.health_inline):
        assert list(words) == list(Health.__members__)
    for words in (found.status, found.status_inline):
        assert list(words) == list(Category.__members__)
    assert (len(found.months), len(found.month_names)) == (12, 12)
    assert found.name


@LANGUAGE
def test_a_language_says_as_much_as_english_does(language: str) -> None:
    english, other = load("en").texts, load(language).texts
    assert {name: fields_of(text) for name, text in other.items()} == {
        name: fields_of(text) for name, text in english.items()
    }


@LANGUAGE
def test_the_words_of_a_language_fit_into_notion_s_options(language: str) -> None:
    names = list(words_of(language).health.values())
    assert all(len(name) <= WORD_LIMIT and "," not in name for name in names)
    assert len({name.casefold() for name in names}) == len(names)


def test_english_healths_are_those_of_the_model() -> None:
    assert ENGLISH.health == {health: health.value for health in Health}


@LANGUAGE
def test_the_examples_use_every_text(language: str) -> None:
    words = _Heard.of(words_of(language))
    for example in examples():
        example.say(words)
    assert {name for name, _ in words.said} == TEXTS.keys() - {"column_note"}


@LANGUAGE
def test_every_text_that_must_be_known_again_is_known_again_whatever_is_configured(
    language: str,
) -> None:
    words = _Heard.of(words_of(language))
    for example in examples():
        example.say(words)
    placed = [(TEXTS[name].at, text) for name, text in words.said if TEXTS[name].at]
    for other in LANGUAGES:
        own = OwnWords(words_of(other, Changed(separator=" | ")))
        assert [text for at, text in placed if not own.says(at, text)] == []
        assert own.says("column_note", words.text("column_note"))
        assert {own.spelled(name.upper()) for name in words.health.values()} == set(
            words.health.values()
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 of 20",
        "12 of 20 done · ask Ana",
        "12 of 20 done · 3 blocked by us",
        "3 blocked · 12 of 20 done",
        "12 of 20 done since Ana left",
        "No linked work. None at all.",
        "On track",
        "12 of 20 done" + " · 1 blocked" * 60,
        "12 of 20 done · " + "x 1/2, " * 2000,
    ],
)
def test_a_person_s_text_is_not_taken_for_opsync_s(text: str) -> None:
    assert not OwnWords().says("delivery", text)


def test_texts_of_the_configured_templates_are_known_again() -> None:
    changed = Changed(
        texts={"delivery": "{health} · {done}/{total} · {blocked} {canceled}", "blocked": ""},
        health={"on_track": "Läuft"},
    )
    own = OwnWords(words_of("de", changed))
    assert own.says("delivery", "läuft · 1/2 · 3 abgebrochen, nicht gezählt")
    assert own.says("delivery", "läuft · 1/2")
    assert not own.says("delivery", "läuft gut · 1/2")
    assert own.spelled("läuft") == "Läuft"


# Templates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{cnt} blocked", "unknown field {cnt}; it has {count}, {date}; did you mean {count}?"),
        ("{nothing}", "unknown field {nothing}; it has {count}, {date}"),
        ("{} blocked", "unknown field {}; it has {count}, {date}"),
        ("{0} blocked", "unknown field {0}; it has {count}, {date}"),
        ("{count.real}", "unknown field {count.real}; it has {count}, {date}; did you mean {count"),
        ("{count[0]}", "unknown field {count[0]}; it has {count}, {date}"),
        ("{count:>9}", "{count} takes no format"),
        ("{count!r}", "{count} takes no format"),
        ("{count:{date}}", "{count} takes no format"),
        ("{count", "a brace without its other one"),
        ("count}", "a brace without its other one"),
        ("{count}\nblocked", "a line break or a control character"),
        ("{count}\u202eblocked", "a line break or a control character"),
        ("x" * 501, "501 characters; at most 500 fit"),
    ],
)
def test_what_is_no_template_is_refused_with_the_reason(source: str, why: str) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_template(source, ("count", "date"))
    assert why in str(refused.value)


def test_a_text_without_fields_says_so() -> None:
    with pytest.raises(TemplateError, match=r"unknown field \{x\}; it has none$"):
        compile_template("{x}", ())


def test_doubled_braces_are_plain_ones() -> None:
    assert compile_template("{{{count}}}", ("count",)).render({"count": 3}) == "{3}"


def test_a_part_is_left_out_when_all_of_its_fields_are_empty() -> None:
    template = compile_template("{a} · {b} {c} · always · {a}{c}", "abc")
    assert template.render({"a": "", "b": "", "c": "C"}) == "C · always · C"
    assert template.render({"a": "", "b": "", "c": ""}) == "always"
    assert template.render({"a": 0, "b": "", "c": ""}, " | ") == "0 | always | 0"


@given(HOSTILE, HOSTILE)
def test_values_are_put_in_once_and_never_read_again(one: str, other: str) -> None:
    template = compile_template("<{one}> · <{other}>", ("one", "other"))
    told = [f"<{value}>" for value in (one, other) if value]
    assert template.render({"one": one, "other": other}) == " · ".join(told)


@given(HOSTILE, HOSTILE)
def test_what_is_said_of_an_item_holds_its_title_as_it_is(key: str, title: str) -> None:
    for language in LANGUAGES:
        words = words_of(language)
        said = words.text("page", space=key, title=title, tool="Notion")
        assert said == (f"{key}: {title}".strip() if key or title else "")


@given(st.text(max_size=60))
def test_any_text_is_a_template_of_one_line_or_refused(source: str) -> None:
    with suppress(TemplateError):
        rendered = compile_template(source, ("count",)).render({"count": "{count} · 7"})
        assert "\n" not in rendered
        assert rendered.count("{count} · 7") >= source.replace("{{", "").count("{count}")


# Days -------------------------------------------------------------------------------------------


def test_days_are_told_as_each_language_does() -> None:
    german, today = words_of("de"), date(2026, 11, 22)
    assert [ENGLISH.day(date(2026, 12, 1), today), german.day(date(2026, 12, 1), today)] == [
        "1 Dec",
        "1. Dez.",
    ]
    assert [ENGLISH.day(date(2030, 3, 1), today), german.day(date(2030, 3, 1), today)] == [
        "1 Mar 2030",
        "1. März 2030",
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{year}-{month2}-{day2}", "2026-03-01"),
        ("{day}/{month_number}/{year}", "1/3/2026"),
        ("{month_name} {day}", "March 1"),
    ],
)
def test_days_are_told_as_configured_and_known_again(form: str, text: str) -> None:
    words = words_of("en", Changed(date_format=form))
    assert words.day(date(2026, 3, 1)) == text
    assert OwnWords(words).says("delivery", f"18 of 18 done since {text}")


# Single words -----------------------------------------------------------------------------------


def test_a_changed_word_is_small_within_a_text_unless_it_is_an_abbreviation() -> None:
    words = words_of("en", Changed(health={"at_risk": "Shaky", "off_track": "SOS", "paused": "X"}))
    inline = words.health_inline
    assert [inline[h] for h in (Health.at_risk, Health.off_track, Health.paused)] == [
        "shaky",
        "SOS",
        "x",
    ]
    given_ = words_of("en", Changed(health={"at_risk": "A"}, health_inline={"at_risk": "rather a"}))
    assert given_.health_inline[Health.at_risk] == "rather a"


def test_each_change_of_the_words_changes_their_digest() -> None:
    changes = [
        Changed(),
        Changed(separator=" | "),
        Changed(date_format="{day}"),
        Changed(date_format_year="{year}"),
        Changed(texts={"blocked": "{count} stuck"}),
        Changed(health={"paused": "Parked"}),
        Changed(health_inline={"paused": "parked"}),
        Changed(status={"done": "Ready"}),
        Changed(status_inline={"done": "ready"}),
    ]
    digests = [words_of("en", change).fingerprint for change in changes]
    digests.append(words_of("de").fingerprint)
    assert all(one != other for one, other in pairwise(sorted(digests)))
