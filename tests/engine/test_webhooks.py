"""Webhooks are looked at once a day: what would end is renewed, what is off or gone is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace as changed

from opsync import (
    Connector,
    Delivery,
    ManagesWebhooks,
    Registered,
    Signal,
    TemporaryError,
    WebhookSource,
)
from opsync.config import Instance, build
from opsync.contract.connector import Context
from opsync.contract.settings import WebhookSettings
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.webhooks import (
    LAST,
    Webhooks,
    arm,
    hook_facts,
    hook_url,
    is_armed,
    note_delivery,
    note_untold,
    renew_due,
    take_token,
    untold_reads,
    webhooks_of,
)
from opsync.hookfacts import HookFacts, Untold
from opsync.steps.shared import OWN
from opsync.store import Store
from opsync.watch import Alarm
from tests.support.clock import FakeClock

URL = "https://opsync.example/hooks/tool"


class Tool(Connector[WebhookSettings], WebhookSource, ManagesWebhooks):
    """A tool whose webhooks end after 30 days."""

    name = "tool"
    title = "Tool"
    settings_type = WebhookSettings

    def __init__(self, settings: WebhookSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.there: list[Registered] = []
        self.broken = ""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        return Delivery("1")

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        return Signal()

    async def webhooks(self) -> Sequence[Registered]:
        if self.broken == "list":
            raise TemporaryError("Tool answered 503.")
        return list(self.there)

    async def register(self, url: str, secret: str) -> Sequence[Registered]:
        if self.broken == "register":
            raise TemporaryError("Tool answered 503.")
        self.there = [Registered("1", url, own=True)]
        return self.there

    async def remove(self, id: str) -> None:  # noqa: A002 - as in the contract
        self.there = [one for one in self.there if one.id != id]

    async def renew(self, registered: Registered) -> Registered:
        if self.broken == "renew":
            raise TemporaryError("Tool answered 503.")
        now = self.context.runtime.clock.now()
        ends = changed(registered, expires_at=now + timedelta(days=30))
        self.there = [ends if one.id == registered.id else one for one in self.there]
        return ends


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    made = Store.open(tmp_path / "opsync.db", clock=clock)
    yield made
    await made.close()


@pytest.fixture
def one(store: Store, tmp_path: Path, clock: FakeClock) -> Webhooks:
    settings = WebhookSettings(connector="tool")
    context = cast("Context", type("Given", (), {})())
    runtime = type("Runtime", (), {"clock": clock})
    context.runtime = runtime  # type: ignore[misc,assignment]  # all that the tool asks for
    hooks = HookSecrets(tmp_path / "opsync.db", clock)
    instance = Instance("tool", "tool", settings)
    return Webhooks(instance, Tool(settings, context), store, hooks, "https://opsync.example")


def tool(one: Webhooks) -> Tool:
    assert isinstance(one.connector, Tool)
    return one.connector


def kinds(alarms: Sequence[Alarm]) -> list[tuple[str, str, str]]:
    return [(alarm.kind, alarm.state, alarm.what) for alarm in alarms]


async def test_what_ends_within_ten_days_is_renewed_without_a_word(
    one: Webhooks, clock: FakeClock
) -> None:
    now = clock.now()
    soon, later = now + timedelta(days=10), now + timedelta(days=10, seconds=1)
    tool(one).there = [
        Registered("1", URL, own=True, expires_at=soon),
        Registered("2", URL, own=True, expires_at=later),
        Registered("3", URL, own=False, expires_at=soon),
    ]

    assert await renew_due([one], now) == ()

    ends = {registered.id: registered.expires_at for registered in tool(one).there}
    assert ends == {"1": now + timedelta(days=30), "2": later, "3": soon}
    assert await hook_facts(one.store, "tool") == HookFacts()


async def test_what_cannot_be_renewed_is_told_until_it_can(one: Webhooks, clock: FakeClock) -> None:
    now = clock.now()
    tool(one).there = [Registered("1", URL, own=True, expires_at=now + timedelta(days=3))]
    tool(one).broken = "renew"

    (alarm,) = await renew_due([one], now)
    assert kinds([alarm]) == [("webhook expires", "warn", "its webhook ends in 3 days")]
    assert alarm.error == "Tool answered 503."
    assert "opsync webhooks register tool" in alarm.hint

    for days, what in ((2.5, "today"), (2, "in 1 day")):
        said = await renew_due([one], now + timedelta(days=days))
        assert kinds(said)[0][2] == f"its webhook ends {what}"
    ended = await renew_due([one], now + timedelta(days=3))
    assert kinds(ended)[0][2] == "its webhook has ended"

    tool(one).broken = ""
    assert await renew_due([one], now) == ()


async def test_what_the_tool_switched_off_is_told_and_not_switched_on(
    one: Webhooks, clock: FakeClock
) -> None:
    """Trouble 4: one that is not on any more says so."""
    await one.register(clock.now())
    tool(one).there = [changed(tool(one).there[0], enabled=False)]
    first = clock.now()

    (alarm,) = await renew_due([one], first)
    clock.advance(86_400)
    (again,) = await renew_due([one], clock.now())

    assert kinds([alarm]) == [
        ("webhook disabled", "warn", "its tool switched the webhook off"),
    ]
    assert (alarm.since, again.since) == (first, first)
    assert not tool(one).there[0].enabled

    await one.register(clock.now())
    assert await hook_facts(one.store, "tool") == HookFacts()
    assert await renew_due([one], clock.now()) == ()


async def test_what_somebody_deleted_is_told(one: Webhooks, clock: FakeClock) -> None:
    assert await renew_due([one], clock.now()) == ()
    await one.register(clock.now())
    tool(one).there = [Registered("9", URL, own=False)]

    assert kinds(await renew_due([one], clock.now())) == [
        ("webhook disabled", "warn", "its webhook is gone")
    ]


async def test_a_tool_that_cannot_be_asked_leaves_what_was_known(
    one: Webhooks, clock: FakeClock
) -> None:
    now = clock.now()
    tool(one).there = [Registered("1", URL, own=True, enabled=False)]
    await renew_due([one], now)
    tool(one).broken = "list"

    (alarm,) = await renew_due([one], now + timedelta(days=1))

    assert (alarm.kind, alarm.since) == ("webhook disabled", now)
    assert (await hook_facts(one.store, "tool")).off


async def test_what_people_set_up_is_not_asked_about(one: Webhooks, clock: FakeClock) -> None:
    tool(one).there = [Registered("1", URL, own=True, enabled=False)]
    tool(one).manages = False

    assert await renew_due([one], clock.now()) == ()


async def test_one_that_cannot_be_asked_does_not_keep_the_next(
    one: Webhooks, clock: FakeClock
) -> None:
    other = replace(one, connector=Tool(tool(one).settings, tool(one).context))
    tool(one).broken = "list"
    tool(other).there = [Registered("1", URL, own=True, enabled=False)]

    assert len(await renew_due([one, other], clock.now())) == 1


async def test_a_secret_whose_fate_is_unknown_is_kept_and_told_again(
    one: Webhooks, clock: FakeClock
) -> None:
    tool(one).broken = "register"
    with pytest.raises(TemporaryError):
        await one.register(clock.now())
    before = one.hooks.load()
    assert before.keys() == {"tool"}

    tool(one).broken = ""
    await one.register(clock.now())

    assert one.hooks.load() == before


async def test_a_tools_own_secret_is_waited_for_a_quarter_of_an_hour(
    one: Webhooks, clock: FakeClock
) -> None:
    now = clock.now()
    assert not await is_armed(one.store, "tool", now)
    await arm(one.store, "tool", now)

    assert await is_armed(one.store, "tool", now + timedelta(minutes=14, seconds=59))
    assert not await is_armed(one.store, "tool", now + timedelta(minutes=15))
    assert not await is_armed(one.store, "other", now)

    await take_token(one.store, one.hooks, "tool", "secret_of_the_tool", now)
    assert not await is_armed(one.store, "tool", now)
    assert one.hooks.secrets_of(one.instance) == [b"secret_of_the_tool"]


async def test_the_last_delivery_is_kept_and_forgotten_with_the_webhook(
    one: Webhooks, clock: FakeClock
) -> None:
    await one.register(clock.now())
    await note_delivery(one.store, "tool", clock.now())
    assert (await one.look(clock.now())).last == clock.now()

    assert await one.remove() == 1

    assert (await one.look(clock.now())).last is None
    assert LAST + "tool" not in await one.store.kept(OWN)


async def test_what_no_signal_told_is_counted_until_one_comes(
    one: Webhooks, clock: FakeClock
) -> None:
    await one.register(clock.now())
    first = clock.now()
    for _ in range(2):
        await note_untold(one.store, "tool", clock.now())
        clock.advance(1800)
    assert await untold_reads(one.store, "tool") == Untold(reads=2, since=first)
    assert (await one.look(clock.now())).untold == Untold(reads=2, since=first)

    await note_delivery(one.store, "tool", clock.now())
    await note_untold(one.store, "tool", clock.now())
    assert await untold_reads(one.store, "tool") == Untold(), "it came meanwhile"

    clock.advance(1)
    await note_untold(one.store, "tool", clock.now())
    assert (await untold_reads(one.store, "tool")).reads == 1
    await one.register(clock.now())
    assert await untold_reads(one.store, "tool") == Untold()
    await note_untold(one.store, "tool", clock.now())
    await one.remove()
    assert await untold_reads(one.store, "tool") == Untold()


@pytest.mark.parametrize(
    ("reads", "seconds", "silent"), [(3, 3600, True), (2, 3600, False), (3, 3599, False)]
)
def test_signals_are_silent_after_three_reads_and_an_hour(
    reads: int, seconds: int, silent: bool, clock: FakeClock
) -> None:
    found = Untold()
    for _ in range(reads):
        found = found.another(clock.now())

    assert found.silent(clock.now() + timedelta(seconds=seconds)) is silent
    assert Untold.of(found.plain()) == found
    assert not Untold(reads=9).silent(clock.now())


async def test_connections_that_can_send_signals_are_taken_together(
    store: Store, tmp_path: Path, clock: FakeClock
) -> None:
    raw = {
        "service": {"public_url": "https://opsync.example/"},
        "instances": {
            "linear": {"connector": "linear", "token": "lin_api_sandbox"},
            "usage": {"connector": "posthog", "token": "phx_sandbox", "project": "1"},
        },
    }
    config = build(raw, path=tmp_path / "opsync.toml")
    hooks = HookSecrets(config.store, clock)
    connector = cast("Connector[Any]", object())

    found = webhooks_of(config, store, hooks, {"linear": connector, "usage": connector})

    assert [(one.name, one.base) for one in found] == [("linear", "https://opsync.example")]
    assert webhooks_of(config, store, hooks, {}) == []


@pytest.mark.parametrize("kept", [None, "x", 7, {"off": "x"}, {"expires_at": "never"}])
def test_what_is_kept_and_cannot_be_read_is_nothing_wrong(kept: Any) -> None:
    assert HookFacts.of(kept) == HookFacts()


@pytest.mark.parametrize("kept", [None, "x", 7, {"reads": "x"}, {"since": "never"}])
def test_reads_that_are_kept_and_cannot_be_read_are_none(kept: Any) -> None:
    assert Untold.of(kept) == Untold()


def test_an_address_has_the_connections_name_behind_it() -> None:
    assert hook_url("https://opsync.example", "tool") == URL
    assert hook_url("", "tool") == ""
