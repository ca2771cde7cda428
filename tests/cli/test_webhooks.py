"""`opsync webhooks` over real HTTP: set up, told of, signed anew, taken away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsync import Signal, SignatureError, WebhookSource
from opsync.cli.root import run
from opsync.cli.sandbox_answers import write_config
from opsync.config import Config, read
from opsync.engine.hooksecrets import HookSecrets
from opsync.engine.session import open_instance, open_session
from opsync.engine.webhooks import arm, is_armed, note_delivery, note_untold, take_token
from opsync.runtime import SystemClock
from opsync.sandbox.client import SandboxClient
from opsync.sandbox.harbor import Harbor, build_harbor
from opsync.sandbox.server import SandboxServer
from opsync.store import Store
from tests.support.listener import Posted, Received, listening


@dataclass
class Scene:
    """Harbor over HTTP, a configuration for it, and a listener where opsync would be."""

    world: Harbor
    url: str
    folder: Path
    received: Received
    here: str
    capsys: pytest.CaptureFixture[str]
    code: int = 0

    def opsync(self, *words: str) -> str:
        """Call the command; what it prints."""
        self.code = run(["webhooks", *words, "--config", str(self.folder / "opsync.toml")])
        shown = self.capsys.readouterr()
        return shown.out + shown.err

    def json(self, *words: str) -> dict[str, dict[str, Any]]:
        """The same for programs, by connection."""
        found = json.loads(self.opsync(*words, "--json"))
        (listed,) = found.values()
        return {one["connection"]: one for one in listed}

    @property
    def config(self) -> Config:
        return read(self.folder / "opsync.toml")

    @property
    def hooks(self) -> HookSecrets:
        return HookSecrets(self.config.store, SystemClock())

    def told(self, name: str, posted: Posted) -> Signal:
        """What a delivery says to a connection, by the secrets that count now."""

        async def ask() -> Signal:
            config = self.config
            async with open_session(config, "test", exclusive=False) as session:
                connector = (await open_instance(config.instances[name], session)).connector
                assert isinstance(connector, WebhookSource)
                _, headers, body = posted
                secrets = self.hooks.secrets_of(config.instances[name])
                connector.verify(headers, body, secrets)
                return connector.affected(headers, body)

        return asyncio.run(ask())

    def stored(self, act: Any) -> Any:
        """Do something with the store, as the service does."""

        async def with_store() -> Any:
            store = Store.open(self.config.store, clock=SystemClock())
            try:
                return await act(store)
            finally:
                await store.close()

        return asyncio.run(with_store())

    def move(self, item: str, to: str) -> None:
        with SandboxClient(self.url) as poke:
            poke.move(item, to)


@pytest.fixture
def scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Scene]:
    world, received = build_harbor(limit_factor=10), Received()
    with listening(received) as here, SandboxServer(world.vendors) as server:
        with SandboxClient(server.url) as poke:
            roadmap = poke.data_source("Roadmap")
        write_config(tmp_path / "opsync.toml", server.url, roadmap)
        yield Scene(world, server.url, tmp_path, received, here, capsys)


@pytest.mark.slow
def test_each_tool_is_set_up_and_tells_of_a_change(scene: Scene) -> None:
    found = scene.json("register", "--url", scene.here)

    assert scene.code == 0
    assert {name: one["state"] for name, one in found.items()} == {
        "jira-main": "on",
        "linear": "on",
        "notion": "waits 15 min for Notion",
    }
    assert found["jira-main"]["url"] == f"{scene.here}/hooks/jira-main"
    assert {one["covers"] for one in found["linear"]["registered"]} == {
        "all public teams",
        "team SEC",
    }
    scene.move("PAY-118", "done")
    scene.move("GRO-44", "in_progress")
    for name in ("jira-main", "linear"):
        posted = scene.received.wait(lambda one, name=name: one[0] == f"/hooks/{name}")
        assert scene.told(name, posted).refs


@pytest.mark.slow
def test_registering_again_makes_nothing_twice_and_keeps_the_secret(scene: Scene) -> None:
    """Trouble 4: a webhook that is there is changed."""
    scene.opsync("register", "jira-main", "--url", scene.here)
    before = scene.hooks.load()
    scene.opsync("register", "jira-main", "--url", scene.here)

    assert scene.hooks.load() == before
    assert len(scene.world.jira.hooks.registered) == 1


@pytest.mark.slow
def test_a_new_secret_counts_beside_the_one_before(scene: Scene) -> None:
    scene.opsync("register", "linear", "--url", scene.here)
    (before,) = scene.hooks.secrets_of(scene.config.instances["linear"])

    shown = scene.opsync("rotate", "linear", "--url", scene.here)

    assert scene.code == 0
    assert shown.startswith("linear       on\n")
    now = scene.hooks.secrets_of(scene.config.instances["linear"])
    assert now[1:] == [before]
    assert {hook.secret.encode() for hook in scene.world.linear.hooks.registered.values()} == {
        now[0]
    }


@pytest.mark.slow
def test_a_new_secret_that_the_tool_refuses_is_taken_back(scene: Scene) -> None:
    scene.opsync("register", "linear", "--url", scene.here)
    before = scene.hooks.secrets_of(scene.config.instances["linear"])
    scene.world.linear.faults.missing_scopes = {"admin"}

    shown = scene.opsync("rotate", "linear", "--url", scene.here)

    assert scene.code == 1
    assert "Only an admin of the workspace may manage webhooks" in shown
    assert scene.hooks.secrets_of(scene.config.instances["linear"]) == before


def test_a_first_secret_that_the_tool_refuses_is_not_kept(scene: Scene) -> None:
    scene.world.jira.faults.missing_scopes = {"ADMINISTER"}

    shown = scene.opsync("register", "jira-main", "--url", scene.here)

    assert scene.code == 3
    assert "Only an administrator of Jira may" in shown
    assert scene.hooks.load() == {}


@pytest.mark.slow
def test_one_tool_that_refuses_does_not_keep_the_others(scene: Scene) -> None:
    scene.world.jira.faults.missing_scopes = {"ADMINISTER"}

    found = scene.json("register", "--url", scene.here)

    assert scene.code == 3
    assert found["jira-main"]["state"] == "not known"
    assert "administrator" in found["jira-main"]["error"]
    assert found["jira-main"]["steps"]
    assert found["linear"]["state"] == "on"


@pytest.mark.slow
def test_notion_says_hello_and_its_token_is_shown_to_be_pasted(scene: Scene) -> None:
    shown = scene.opsync("register", "notion", "--url", scene.here)
    assert f"2. Webhook URL: {scene.here}/hooks/notion" in shown
    assert "Then: opsync webhooks list notion" in shown
    assert scene.stored(lambda store: is_armed(store, "notion", datetime.now(UTC)))
    later = datetime.now(UTC) + timedelta(minutes=15, seconds=1)
    assert not scene.stored(lambda store: is_armed(store, "notion", later))
    with SandboxClient(scene.url) as poke:
        body = {"vendor": "notion", "do": "subscribe", "url": f"{scene.here}/hooks/notion"}
        poke._control("webhook", body)
        _, _, hello = scene.received.wait()
        token = json.loads(hello)["verification_token"]

        now = datetime.now(UTC)
        scene.stored(lambda store: take_token(store, scene.hooks, "notion", token, now))
        first, paste, *rest = scene.opsync("list", "notion").splitlines()
        assert first == "notion       waits to be verified"
        assert paste.startswith("    Paste this into Notion, as it came ")
        assert paste.endswith(f" ago: {token}")
        assert len(rest) == 2
        assert "opsync webhooks rotate notion" in rest[1]
        assert scene.json("list", "notion")["notion"]["token"] == token
        found = scene.json("list")["notion"]
        assert (found["state"], found["token"]) == ("waits to be verified", "")
        assert found["signed_by"] == ""
        assert not scene.stored(lambda store: is_armed(store, "notion", datetime.now(UTC)))

        poke._control("webhook", {"vendor": "notion", "do": "verify", "token": token})
    with SandboxClient(scene.url) as poke:
        poke.edit("Referral programme", "Flag", "refer")
    posted = scene.received.wait(lambda one: b"properties_updated" in one[2])
    assert scene.told("notion", posted).refs
    assert token not in scene.opsync("list")
    assert scene.json("list")["notion"]["state"] == "waits to be verified"
    scene.hooks.prove("notion", token)
    assert token not in scene.opsync("list", "notion")
    found = scene.json("list", "notion")["notion"]
    assert (found["state"], found["token"], found["steps"]) == ("on", "", [])


@pytest.mark.sampled
@pytest.mark.parametrize("word", ["register", "rotate"])
def test_a_token_that_somebody_planted_is_dropped_and_a_proven_one_counts_on(
    scene: Scene, word: str
) -> None:
    def told(token: str) -> None:
        now = datetime.now(UTC)
        scene.stored(lambda store: take_token(store, scene.hooks, "notion", token, now))

    def taken() -> list[bytes]:
        return scene.hooks.secrets_of(scene.config.instances["notion"])

    scene.opsync("register", "notion", "--url", scene.here)
    told("secret_planted")
    shown = scene.opsync(word, "notion", "--url", scene.here)
    assert shown.startswith("notion       waits 15 min for Notion\n")
    assert "secret_planted" not in shown
    assert taken() == []

    told("secret_of_notion")
    scene.hooks.prove("notion", "secret_of_notion")
    scene.opsync(word, "notion", "--url", scene.here)
    assert taken() == [b"secret_of_notion"]
    assert scene.json("list")["notion"]["state"] == "waits 15 min for Notion"
    ago = datetime.now(UTC) - timedelta(minutes=15)
    scene.stored(lambda store: arm(store, "notion", ago))
    assert scene.opsync("list", "notion") == "notion       on\n", "nobody waits any more"
    told("secret_planted")
    assert scene.json("list")["notion"]["state"] == "on, its new token waits to be verified"
    scene.opsync(word, "notion", "--url", scene.here)
    assert taken() == [b"secret_of_notion"]


@pytest.mark.slow
def test_the_list_says_what_is_set_up_and_when_a_signal_last_came(scene: Scene) -> None:
    found = scene.json("list")
    assert {one["state"] for one in found.values()} == {"not set up"}
    assert found["notion"]["steps"]
    assert scene.opsync("list", "linear") == "linear       not set up\n"
    assert "(public_url of [service])/hooks/notion" in scene.opsync("list", "notion")

    scene.opsync("register", "linear", "--url", scene.here)
    ago = datetime.now(UTC) - timedelta(minutes=3)
    scene.stored(lambda store: note_delivery(store, "linear", ago))
    first, *rest = scene.opsync("list", "linear").splitlines()
    assert first == "linear       on, last signal 3 min ago"
    assert len(rest) == 2
    assert f"{scene.here}/hooks/linear  team SEC" in "\n".join(rest)

    for hook in scene.world.linear.hooks.registered.values():
        hook.enabled = False
    assert scene.json("list")["linear"]["state"] == "switched off by Linear"


@pytest.mark.slow
def test_signals_that_ought_to_come_and_do_not_are_silent(scene: Scene) -> None:
    scene.opsync("register", "linear", "--url", scene.here)
    for hours in (3, 2, 1):
        at = datetime.now(UTC) - timedelta(hours=hours, seconds=1)
        scene.stored(lambda store, at=at: note_untold(store, "linear", at))

    shown = scene.opsync("list", "linear", "--url", scene.here)
    assert shown.splitlines()[0] == "linear       silent"
    assert "3 reads in 3 h found changes that no signal told" in shown
    assert f"see that Linear reaches {scene.here}/hooks/linear" in shown
    assert scene.json("list")["linear"]["state"] == "silent"

    scene.stored(lambda store: note_delivery(store, "linear", datetime.now(UTC)))
    assert scene.json("list")["linear"]["state"] == "on"


@pytest.mark.slow
def test_what_opsync_made_is_taken_away_and_nothing_else(scene: Scene) -> None:
    scene.opsync("register", "jira-main", "--url", scene.here)
    (hook,) = scene.world.jira.hooks.registered.values()
    scene.world.jira.hooks.registered["1"] = type(hook)("1", "http://x/", "", (), "deploys")

    assert scene.opsync("remove", "jira-main") == "jira-main    removed 1 webhook\n"

    assert list(scene.world.jira.hooks.registered) == ["1"]
    assert scene.hooks.load() == {}
    assert scene.json("list")["jira-main"]["state"] == "not set up"


@pytest.mark.slow
def test_all_are_taken_away_and_each_says_so(scene: Scene) -> None:
    scene.opsync("register", "--url", scene.here)

    found = scene.json("remove", "--all")

    assert {name: one["webhooks"] for name, one in found.items()} == {
        "jira-main": 1,
        "linear": 2,
        "notion": 0,
    }
    assert scene.opsync("rotate", "--url", scene.here) == (
        "no connection here has change signals to change\n"
    )


@pytest.mark.slow
def test_a_secret_of_people_is_used_and_left_to_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_LINEAR__WEBHOOK_SECRET", "chosen-by-people-0123")
    found = scene.json("register", "linear", "--url", scene.here)
    assert found["linear"]["signed_by"] == "people"
    assert {hook.secret for hook in scene.world.linear.hooks.registered.values()} == {
        "chosen-by-people-0123"
    }
    assert scene.hooks.load() == {}

    shown = scene.opsync("rotate", "linear", "--url", scene.here)
    assert scene.code == 2
    assert "OPSYNC_LINEAR__WEBHOOK_SECRET_BEFORE" in shown


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("register",), "public_url"),
        (("register", "nobody", "--url", "https://h.example"), 'no connection "nobody"'),
        (("register", "posthog", "--url", "https://h.example"), "sends no change signals"),
        (("register", "--url", "http://opsync.example"), "https"),
        (("register", "--url", "https://opsync.example/?a=b"), "query"),
        (("remove",), "--all"),
        (("remove", "linear", "--all"), "--all"),
    ],
)
def test_what_cannot_be_done_says_why(scene: Scene, words: tuple[str, ...], said: str) -> None:
    shown = scene.opsync(*words)

    assert scene.code == 2
    assert said in shown


@pytest.mark.slow
def test_a_forged_delivery_is_refused_and_a_lost_one_never_comes(scene: Scene) -> None:
    scene.opsync("register", "jira-main", "--url", scene.here)
    with SandboxClient(scene.url) as poke:
        poke._control("fault", {"vendor": "jira", "webhooks_forged": 100})
        poke.move("PAY-118", "done")
        scene.received.wait(lambda _: len(scene.received.posts) >= 2)
        refused = 0
        for posted in scene.received.posts[:2]:
            try:
                scene.told("jira-main", posted)
            except SignatureError:
                refused += 1
        assert refused == 1

        poke._control("fault", {"vendor": "jira", "webhooks_forged": 0, "webhooks_lost": 100})
        time.sleep(0.1)
        came = len(scene.received.posts)
        poke.move("PAY-118", "todo")
        time.sleep(0.4)
        assert len(scene.received.posts) == came
        assert poke.state()["jira"]["webhooks"][0]["enabled"]


@pytest.mark.slow
def test_no_secret_is_on_a_screen_or_in_the_store(scene: Scene) -> None:
    shown = scene.opsync("register", "--url", scene.here)
    shown += scene.opsync("rotate", "--url", scene.here, "--log", "debug")
    shown += scene.opsync("list", "--json")
    secrets = scene.hooks.texts()

    assert len(secrets) == 4
    for secret in secrets:
        assert secret not in shown
        for file in scene.folder.glob("opsync.db*"):
            if not file.name.endswith(".hooks"):
                assert secret.encode() not in file.read_bytes()


def _keys(found: Any) -> Iterator[str]:
    if isinstance(found, list):
        for one in found:
            yield from _keys(one)
    elif isinstance(found, dict):
        for key, value in found.items():
            yield key
            yield from _keys(value)


@pytest.mark.slow
def test_every_key_for_programs_is_documented(scene: Scene) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    found = [
        json.loads(scene.opsync(*words, "--json"))
        for words in (("register", "--url", scene.here), ("list",), ("remove", "--all"))
    ]
    missing = {key for key in _keys(found) if f"`{key}`" not in page and f'"{key}"' not in page}
    assert not missing
