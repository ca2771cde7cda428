"""Secrets are found in every form they are usually written in."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest

from opsync.redact import SHORTEST, Redactor, clean_urls, secret_parts

SECRET = 'cañary/+ "s3cret"&=\\x'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        re.sub("%..", lambda hexes: hexes[0].lower(), quote(SECRET, safe="")),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        html.escape(SECRET),
        json.dumps(json.dumps(SECRET)),
        json.dumps(repr(SECRET)),
        repr(json.dumps(SECRET)),
    ],
)
def test_every_form_of_a_secret_is_hidden(form: str) -> None:
    redactor = Redactor()
    assert redactor.add(SECRET)
    cleaned = redactor.clean(f"before {form} after")
    assert "***" in cleaned
    assert "s3cret" not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


def test_a_secret_among_both_kinds_of_quotes_is_hidden() -> None:
    """A text with both is quoted otherwise than the secret alone."""
    redactor = Redactor()
    redactor.add("s3cret'part")
    assert redactor.clean(repr('he said "s3cret\'part"')) == "'he said \"***\"'"


def test_the_parts_of_a_secret_address_are_secrets_if_they_are_long() -> None:
    address = "https://hooks.example/services/T0-path-of-it?sign=a-query-of-it&v=2"
    assert set(secret_parts(address)) == {
        address,
        "/services/T0-path-of-it",
        "T0-path-of-it",
        "sign=a-query-of-it&v=2",
        "a-query-of-it",
    }


def test_a_part_of_a_secret_address_is_long_from_twelve_characters_on() -> None:
    address = "https://hooks.example/twelve-chars/eleven-char"
    assert "twelve-chars" in set(secret_parts(address))
    assert "eleven-char" not in set(secret_parts(address))


def test_a_secret_is_hidden_whole_as_python_writes_it() -> None:
    """A control character, which JSON writes otherwise, beside a quote that needs no mark."""
    redactor = Redactor()
    redactor.add("s3cret'\x01part")
    assert redactor.clean(repr("s3cret'\x01part")) == '"***"'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        html.escape(SECRET),
    ],
)
def test_no_character_of_a_form_is_left(form: str) -> None:
    redactor = Redactor()
    redactor.add(SECRET)
    assert redactor.clean(f"<{form}>") == "<***>"


def test_the_header_that_basic_makes_of_a_token_is_hidden() -> None:
    redactor = Redactor()
    redactor.add_basic("me@acme.example", "canary-1")
    sent = base64.b64encode(b"me@acme.example:canary-1").decode()
    assert redactor.clean(f"Authorization: Basic {sent}; canary-1") == (
        "Authorization: Basic ***; ***"
    )


def test_of_overlapping_secrets_nothing_is_left_over() -> None:
    redactor = Redactor()
    redactor.add("canary-1")
    redactor.add("canary-1-and-more")
    assert redactor.clean("canary-1-and-more canary-1") == "*** ***"


def test_a_secret_too_short_to_be_told_from_words_is_reported_and_left() -> None:
    redactor = Redactor()
    assert redactor.add("x" * (SHORTEST - 1)) is False
    assert redactor.add("  ") is False
    assert redactor.clean("xxxxx stays") == "xxxxx stays"


def test_a_secret_of_six_characters_is_hidden() -> None:
    redactor = Redactor()
    assert redactor.add("x7!q-p")
    assert redactor.clean("it is x7!q-p") == "it is ***"


def test_a_secret_added_later_is_hidden_too() -> None:
    redactor = Redactor()
    redactor.add("first-secret")
    assert redactor.clean("first-secret") == "***"
    redactor.add("second-secret")
    assert redactor.clean("first-secret second-secret") == "*** ***"


def test_each_line_of_a_key_file_is_hidden() -> None:
    redactor = Redactor()
    redactor.add("-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwx\nshort\n")
    assert redactor.clean("line abcdefghijklmnopqrstuvwx") == "line ***"


def test_a_line_of_sixteen_characters_of_a_secret_of_two_lines_is_hidden() -> None:
    redactor = Redactor()
    redactor.add("abcdefghijklmnop\nabcdefghijklmno")
    assert redactor.clean("abcdefghijklmnop") == "***"
    assert redactor.clean("abcdefghijklmno ") == "abcdefghijklmno "


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("https://u:p@host/a?b=c#d", "https://***@host/a?***"),
        ("https://host/a?", "https://host/a?"),
        ("(https://host/a?b=c) and https://host/d", "(https://host/a?*** and https://host/d"),
        ('{"url": "https://host/?k=v"}', '{"url": "https://host/?***"}'),
        ("postgresql+psycopg://user:pw@db/x", "postgresql+psycopg://***@db/x"),
        ("https://host/@someone", "https://host/@someone"),
        ("no url: a?b=c", "no url: a?b=c"),
    ],
)
def test_userinfo_and_query_of_urls_are_hidden(text: str, cleaned: str) -> None:
    assert clean_urls(text) == cleaned


def test_a_redactor_does_not_show_what_it_knows() -> None:
    redactor = Redactor()
    redactor.add("canary-1")
    assert "canary" not in repr(redactor)
