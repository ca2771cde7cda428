"""A template with an unknown field is refused with the fields there are; so is other nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from opsync.config import build
from opsync.errors import ConfigError
from tests.support.world import World

BASE: dict[str, Any] = {"instances": {}}


def problems(wording: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        build({**BASE, "wording": wording})
    return refused.value.problems


def test_an_unknown_field_is_refused_with_the_fields_there_are() -> None:
    assert problems({"texts": {"blocked": "{cnt} blocked"}}) == (
        "wording.texts.blocked: unknown field {cnt}; it has {count}",
    )


def test_a_field_of_another_text_is_refused_too() -> None:
    [line] = problems({"texts": {"scope": "{total} more since {dat}"}})
    assert line == "wording.texts.scope: unknown field {total}; it has {count}, {date}"


def test_all_wrong_templates_are_told_at_once() -> None:
    found = problems(
        {
            "date_format": "{day} {mnth}",
            "texts": {"blocked": "{count", "summary": "{done.real}", "dleivery": "{head}"},
        }
    )
    assert [line.partition(":")[0] for line in found] == [
        "wording.date_format",
        "wording.texts.summary",
        "wording.texts.blocked",
        "wording.texts.dleivery",
    ]
    assert found[0].endswith("{year}; did you mean {month}?")
    assert found[3] == 'wording.texts.dleivery: unknown key; did you mean "delivery"?'


@pytest.mark.parametrize(
    ("wording", "line"),
    [
        ({"language": "fr"}, "wording.language: input should be 'en' or 'de'"),
        ({"texts": {"delivery": " "}}, "wording.texts.delivery: is empty"),
        ({"separator": ""}, "wording.separator: is empty"),
        ({"separator": "\n"}, "wording.separator: has a line break or a control character"),
        ({"texts": {"blocked": 3}}, 'wording.texts.blocked: must be a text in quotes, as in "one"'),
        ({"texts": {"blocked": "{count!r}"}}, "wording.texts.blocked: {count} takes no format"),
        ({"texts": {"head": "{done}\n"}}, "wording.texts.head: has a line break"),
        ({"health": {"paused": "On hold, for now"}}, "wording.health.paused: has a comma"),
        ({"health": {"paused": "x" * 101}}, "wording.health.paused: has 101 characters"),
        ({"health": {"pausd": "x"}}, 'wording.health.pausd: unknown key; did you mean "paused"?'),
        ({"health": {"paused": "on TRACK"}}, 'wording: health: "on TRACK" would be both on_track'),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_key(wording: dict[str, Any], line: str) -> None:
    [told] = problems(wording)
    assert told.startswith(line)


def test_a_part_may_be_left_out_by_an_empty_template() -> None:
    words = build({**BASE, "wording": {"texts": {"blocked": ""}}}).words
    assert words.text("blocked", count=3) == ""


async def test_nothing_is_written_with_a_wrong_template(settled: World) -> None:
    before = settled.written()
    settled.raw["wording"] = {"texts": {"delivery": "{heads}"}}
    with pytest.raises(ConfigError, match=r"unknown field \{heads\}; it has \{head\}, \{blocked\}"):
        await settled.sync()
    assert settled.written() == before
