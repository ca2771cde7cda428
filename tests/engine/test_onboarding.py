"""Trying a connection out: what is asked, and what becomes of answers that do not come."""

from __future__ import annotations

from typing import Any

import pytest

from opsync import (
    Category,
    Check,
    Choice,
    FirstRead,
    Grant,
    SignInError,
    StatusWord,
    TemporaryError,
)
from opsync.engine.onboarding import Trial, examine, meet, suspects, together
from opsync.errors import ConfigError
from opsync.plugins import Plugins, load
from tests.cli.init.scripted import TOKEN, Tools

TRIAL = Trial("linear", {"connector": "linear", "token": TOKEN})
USE = Trial("posthog", {"connector": "posthog", "token": TOKEN, "project": "7"})


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    tools = Tools()

    def loaded(**given: Any) -> Plugins:
        plugins = load(wanted=())
        plugins.connectors.update(tools.classes)
        return plugins

    monkeypatch.setattr("opsync.config.load", loaded)
    return tools


async def test_a_tool_is_asked_for_rights_and_for_what_there_is(tools: Tools) -> None:
    tools.linear.grants = (Grant("Read", "read", True, "issues", "Keys."),)
    tools.linear.choices = (Choice("GRO", "Growth"),)

    met = await meet(TRIAL)

    assert (met.grants, met.choices) == (tools.linear.grants, tools.linear.choices)
    assert (met.lacking, met.explorable) == ((), True)


async def test_what_there_is_stays_unasked_while_a_right_to_read_is_missing(tools: Tools) -> None:
    lacking = Grant("Read", "read", False, "issues", "Keys.")
    tools.linear.grants = (
        lacking,
        Grant("Write", "write", False, "links", "Keys."),
        Grant("Names", "read", False, "names", "Keys.", vital=False),
    )
    tools.linear.choices = (Choice("GRO", "Growth"),)

    met = await meet(TRIAL)

    assert (met.lacking, met.choices) == ((lacking,), ())


async def test_what_there_is_may_be_refused_although_the_token_works(tools: Tools) -> None:
    tools.linear.grants = (Grant("Read", "read", True, "issues", "Keys."),)
    tools.linear.choices = SignInError("Linear lists no teams.", hint="Keys.")

    met = await meet(TRIAL)

    assert (met.grants, met.choices) == (tools.linear.grants, ())
    assert met.unlisted is not None
    assert met.unlisted.message == "Linear lists no teams."


async def test_a_token_that_is_refused_is_an_error(tools: Tools) -> None:
    tools.linear.tokens = ()

    with pytest.raises(SignInError, match="refused"):
        await meet(TRIAL)


async def test_a_part_that_fails_is_told_and_the_others_go_on(tools: Tools) -> None:
    tools.linear.first_read = TemporaryError("Linear answered 504.", hint="Later.")
    tools.linear.words = (
        StatusWord(id="1", name="Done", category=Category.done, counts_as=Category.done),
    )

    found = await examine(TRIAL)

    assert (found.first_read, found.words) == (None, tools.linear.words)
    assert found.checks[-1] == Check(
        "First read", "warn", "Could not be asked: Linear answered 504.", "Later."
    )


async def test_the_zone_of_what_is_measured_is_asked_for(tools: Tools) -> None:
    tools.posthog.zone = "America/New_York"

    assert (await examine(USE)).zone == "America/New_York"
    assert (await examine(TRIAL)).zone == ""


async def test_a_zone_that_cannot_be_asked_for_is_told_and_the_others_go_on(tools: Tools) -> None:
    tools.posthog.zone = TemporaryError("PostHog answered 504.")

    found = await examine(USE)

    assert (found.zone, found.first_read is not None) == ("", True)
    assert found.checks[-1].message == "Could not be asked: PostHog answered 504."


async def test_a_sign_in_that_ends_meanwhile_is_an_error(tools: Tools) -> None:
    tools.linear.first_read = SignInError("Linear refused the token.")

    with pytest.raises(SignInError):
        await examine(TRIAL)


async def test_a_block_that_cannot_be_right_is_told_by_its_keys() -> None:
    with pytest.raises(ConfigError, match=r"instances\.linear\.page_size"):
        await meet(Trial("linear", {**TRIAL.block, "page_size": 1000}))


def test_what_counts_as_done_and_sounds_given_up_is_suspect() -> None:
    def word(name: str, counts_as: Category = Category.done) -> StatusWord:
        return StatusWord(id=name, name=name, category=Category.done, counts_as=counts_as)

    words = [word("Done"), word("Won’t do"), word("Canceled", Category.canceled), word("Abgelehnt")]

    assert [one.name for one in suspects(words)] == ["Won’t do", "Abgelehnt"]


def test_first_reads_add_up_and_go_on_at_the_same_time() -> None:
    jira, linear = FirstRead(100, 4, 2.0), FirstRead(50, 2, 9.0, more=True)

    assert together([jira, linear]) == FirstRead(150, 6, 9.0, more=True)
    assert together([jira]) == jira
    assert together([jira, FirstRead(None, 3, 1.0)]) == FirstRead(100, 7, 2.0, more=True)
    assert together([FirstRead(None, 3, 1.0)]) == FirstRead(None, 3, 1.0, more=True)
