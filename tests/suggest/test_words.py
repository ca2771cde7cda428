"""Words of titles: what is one word, and what only looks like it."""

from __future__ import annotations

import pytest

from opsync.suggest.words import (
    FORM,
    TYPO,
    Lexicon,
    Vocabulary,
    keys_in,
    likeness,
    raw_words,
    shown_words,
    stem_of,
    tag_of,
)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("One-tap checkout!", ["one", "tap", "checkout"]),
        ("Größere  Schrift", ["grossere", "schrift"]),
        ("CAFÉ Crème", ["cafe", "creme"]),
        ("Ana's people’s list", ["anas", "peoples", "list"]),
        ("PAY-118: Tokenise cards", ["tokenise", "cards"]),
        ("[Web] Card form", ["card", "form"]),
        ("[all]", ["all"]),
        ("支付页面 v2", ["支付", "付页", "页面", "v2"]),
        ("\u202eהמוסכה\u202c in Hebrew", ["המוסכה", "in", "hebrew"]),
        ("<script>alert(1)</script>", ["script", "alert", "1", "script"]),
        ("", []),
    ],
)
def test_a_title_is_cut_into_words(title: str, words: list[str]) -> None:
    assert raw_words(title) == words


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("programme", "program"),
        ("programmes", "programs"),
        ("tokenise", "tokenize"),
        ("localisation", "localization"),
        ("colours", "color"),
        ("centre", "center"),
        ("categories", "category"),
        ("batches", "batch"),
        ("payouts", "payout"),
    ],
)
def test_numbers_and_spellings_of_a_word_share_a_stem(one: str, two: str) -> None:
    assert stem_of(one) == stem_of(two)


@pytest.mark.parametrize("word", ["status", "analysis", "access", "bus", "v2s", "sso"])
def test_a_word_that_only_ends_like_a_plural_stays(word: str) -> None:
    assert stem_of(word) == word


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("zahlung", "zahlungen", FORM),
        ("checkout", "chekcout", TYPO),
        ("checkout", "checkut", TYPO),
        ("residency", "resdiency", TYPO),
        ("authentication", "authetnicaton", TYPO),
        ("export", "expire", 0),
        ("card", "cart", 0),
        ("form", "farm", 0),
        ("billing", "filling", 0),
        ("v2020", "v2021", 0),
    ],
)
def test_words_are_alike_by_an_ending_or_a_slip(one: str, two: str, alike: float) -> None:
    assert likeness(one, two) == likeness(two, one) == alike


def test_a_word_that_is_common_is_no_misspelt_other_one() -> None:
    lexicon = Lexicon(Vocabulary())
    [charge], [change], [chareg] = map(lexicon.words, ("charge", "change", "chareg"))
    for word in (charge, change):
        for _ in range(3):
            lexicon.count([word])
    assert lexicon.alike(charge, change) == 0
    assert lexicon.alike(charge, chareg) == TYPO


def test_words_that_say_nothing_are_left_out_in_several_languages() -> None:
    lexicon = Lexicon(Vocabulary())
    told = ("SSO for the teams", "SSO für die Teams", "SSO pour les teams", "SSO dos teams a b c")
    assert {tuple(word.stem for word in lexicon.words(title)) for title in told} == {
        ("sso", "team")
    }


def test_an_identifier_is_no_word() -> None:
    lexicon = Lexicon(Vocabulary())
    assert [w.stem for w in lexicon.words("Order 0f3c9a77b2d1e4 lost 42")] == [
        "order",
        "lost",
        "42",
    ]


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    lexicon = Lexicon(Vocabulary())
    for number in range(50):
        lexicon.count(lexicon.words("export page" if number else "referral page"))
    referral, page = lexicon.words("referral page")
    assert lexicon.weight(referral) > 3 * lexicon.weight(page)


def test_keys_are_found_where_they_stand_alone() -> None:
    assert keys_in("PAY-118: as in (GRO-44), not x/PAY-1 or pay-2") == ["PAY-118", "GRO-44"]


def test_a_tag_is_what_a_title_begins_with_in_brackets() -> None:
    assert [tag_of(t) for t in ("[Web] Card form", "(iOS) Card", "Card [web]", "[]")] == [
        "web",
        "ios",
        "",
        "",
    ]


def test_words_are_shown_as_they_are_written() -> None:
    assert shown_words("Größere Schrift: Tokens", {"grossere", "token"}) == "größere tokens"
