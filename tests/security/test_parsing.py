"""What is read from outside is data: odd JSON is refused or kept exact, and no text is a path."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from opsync import Answer, BadAnswer, Unreadable, by_day
from opsync.config import build
from opsync.errors import ConfigError
from opsync.store import Store
from tests.support.clock import FakeClock


def answer(body: bytes) -> Answer:
    return Answer(200, {"content-type": "application/json"}, body, "https://acme.example/x", "Acme")


@pytest.mark.parametrize(
    "body",
    [
        *(b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e999]", b"[01]", b"[1,]", b'["\\ud800"'),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe[]", b"[1] x", b"", b"'1'"),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_is_refused_and_not_guessed(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        answer(body).decode(object)


def test_whole_numbers_stay_exact_beyond_what_a_double_holds() -> None:
    for number in (2**53 + 1, -(2**53) - 1, 2**63 + 1, 10**40):
        assert answer(f"[{number}]".encode()).decode(list[int]) == [number]
    with pytest.raises(BadAnswer):
        answer(b'["1"]').decode(list[int])


def test_of_a_name_that_comes_twice_the_last_value_counts_everywhere_alike() -> None:
    """RFC 8259 leaves it open; what matters is that no two readers of an answer differ."""
    from msgspec import Struct

    class Row(Struct):
        id: int

    body = answer(b'{"id": 1, "id": 2}')
    assert body.decode(Row).id == 2
    assert body.decode(object) == {"id": 2}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "seven", None])
def test_a_measured_value_that_is_no_number_is_told_as_that(value: object) -> None:
    with pytest.raises(Unreadable):
        by_day(["2026-11-02"], [value])


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE records; --", "%' OR '1'='1", 'x" OR ""="', "a\0b", "_%", "\\"]
)
async def test_what_is_looked_for_is_a_value_and_never_a_statement(
    tmp_path: Path, text: str
) -> None:
    clock = FakeClock()
    store = Store.open(tmp_path / "opsync.db", clock=clock)
    try:
        assert await store.find(text) == []
        assert set((await store.counts()).values()) == {0}
    finally:
        await store.close()


@pytest.mark.parametrize(
    "name", ["../evil", "..", "a/b", "a\\b", "a b", "A", "", "a.b", "~", "a\0b", "x" * 200]
)
def test_the_name_of_a_connection_can_be_no_path(name: str) -> None:
    """Secret files and variables are named by it."""
    with pytest.raises(ConfigError):
        build({"instances": {name: {"connector": "linear", "token": "lin_api_x"}}})


def test_a_setting_never_names_a_file_of_secrets_or_of_the_environment() -> None:
    for key in ("_secrets_dir", "_env_file", "_env_prefix"):
        for raw in (
            {key: "/etc"},
            {"instances": {"linear": {"connector": "linear", "token": "x", key: "/etc"}}},
        ):
            with pytest.raises(ConfigError, match="unknown key"):
                build(raw)
