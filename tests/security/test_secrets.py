"""No secret comes out: every canary is looked for in all that opsync prints, keeps and sends."""

from __future__ import annotations

import asyncio
import pprint
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import click
import pytest

import opsync.log
from opsync.cli.root import TRACEBACK, root
from opsync.errors import ConfigError, OpsyncError
from tests.scenarios.test_canary import EXEMPT, commands
from tests.security.vault import CANARIES, HOOK_HOST, HOW, Canary, Vault, vault

pytestmark = pytest.mark.timeout(300)

ITEM = "One-tap checkout"
TOML_PAIRS = "one,two,verdict\nOne-tap checkout,PAY-3,accepted\n"
INIT = (
    *("init", "--force", "--no-look", "--out", "files/new.toml"),
    *("--jira", "https://harbor.atlassian.net", "--jira-email", "ana@harbor.example"),
    *("--linear", "--notion", "Roadmap"),
)

HERE = ("--url", "https://opsync.harbor.example")

CALLS: Mapping[str, tuple[str, ...]] = {
    "init": INIT,
    "look": ("look", "--markdown", "files/look.md"),
    "doctor": ("doctor",),
    "plan": ("plan", "--all", "--out", "files/plan.json"),
    "sync": ("sync", "--full"),
    "apply": ("apply",),
    "status": ("status", "--all"),
    "explain": ("explain", ITEM),
    "digest": ("digest", "--to", "slack"),
    "links list": ("links", "list"),
    "links suggest": ("links", "suggest"),
    "links accept": ("links", "accept", ITEM, "PAY-3"),
    "links reject": ("links", "reject", "Loyalty", "PAY-4"),
    "links add": ("links", "add", ITEM, "PAY-4"),
    "links remove": ("links", "remove", ITEM, "PAY-4"),
    "links import": ("links", "import", "pairs.csv"),
    "links export": ("links", "export", "files/pairs.csv"),
    "records": ("records",),
    "statuses": ("statuses", "--all"),
    "people": ("people",),
    "rollups": ("rollups",),
    "journal": ("journal",),
    "undo": ("undo", "--dry-run"),
    "owned": ("owned",),
    "release": ("release", "--all", "--keep", "--dry-run"),
    "aside": ("aside",),
    "aside retry": ("aside", "retry"),
    "resolve": ("resolve", ITEM),
    "pause": ("pause",),
    "webhooks list": ("webhooks", "list"),
    "webhooks register": ("webhooks", "register", *HERE),
    "webhooks rotate": ("webhooks", "rotate", *HERE),
    "webhooks remove": ("webhooks", "remove", "--all"),
    "reload": ("reload",),
    "alerts test": ("alerts", "test"),
    "config show": ("config", "show"),
    "config check": ("config", "check"),
    "config schema": ("config", "schema"),
    "db upgrade": ("db", "upgrade"),
    "db check": ("db", "check"),
    "db backup": ("db", "backup", "copy.db", "--force"),
    "db restore": ("db", "restore", "copy.db"),
    "db prune": ("db", "prune"),
    "plugins": ("plugins",),
}
"""Every command with one way to call it, in an order in which each finds something to tell."""

CHANNELS = (
    "log as JSON",
    "log as text",
    "errors with their causes",
    "screens",
    "--json",
    "store and its journal",
    "files that commands write",
    "repr of what holds them",
    "configuration as shown",
    "traceback of a crash",
    "alerts",
    "requests to others",
)


class Told:
    """All that came out, by channel."""

    def __init__(self) -> None:
        self.by: dict[str, list[str]] = defaultdict(list)

    def add(self, channel: str, text: str) -> None:
        assert channel in CHANNELS
        self.by[channel].append(text)

    def text(self, channel: str) -> str:
        self.by[channel] = ["\n".join(self.by[channel])]
        return self.by[channel][0]


def takes_json(name: str) -> bool:
    """Whether a command prints JSON."""
    context, command = click.Context(root), root
    found: click.Command = command
    for word in name.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(context, word)
        assert inner is not None
        found = inner
    return any("--json" in param.opts for param in found.params)


def log(made: Vault, told: Told, patch: pytest.MonkeyPatch) -> None:
    """Runs at debug level, good and bad, in both shapes of a log."""
    configure = opsync.log.configure
    for as_json, channel in ((True, "log as JSON"), (False, "log as text")):
        with patch.context() as inner:
            inner.setattr(
                "opsync.log.configure",
                lambda shape=as_json, **options: configure(**{**options, "json": shape}),
            )
            for how in ("", *(HOW if as_json else HOW[::3])):
                made.net.how = how
                told.add(channel, made.opsync("sync", "--full", "--log", "debug"))
            told.add(channel, made.opsync("doctor", "--log", "debug"))
            made.net.how = ""
            made.clock.advance(3600)  # Breakers close again.


def call_all(made: Vault, told: Told) -> None:
    """Every command, for people and for programs; those that ask on bad days as well."""
    calls = [("", name, True, True) for name in CALLS]
    asking = ("init", "look", "plan", "statuses", "digest", "alerts test", "webhooks register")
    calls += [("refused", name, True, name == "look") for name in asking]
    for number, how in enumerate(HOW):
        odd = bool(number % 2)
        calls += [(how, "sync", odd, not odd), (how, "doctor", not odd, odd)]
    for how, name, plain, as_json in calls:
        made.net.how = how
        shown = "configuration as shown" if name.startswith("config") else "screens"
        if plain:
            told.add(shown, made.opsync(*CALLS[name]))
        if as_json and takes_json(name):
            told.add("--json", made.opsync(*CALLS[name], "--json"))
        if name == "pause":
            made.opsync("pause", "--off")
    made.net.how = ""


async def raise_all(made: Vault, told: Told) -> None:
    """What each client raises, as it is; and with its causes, as logs and tracebacks print it."""
    for how in HOW:
        made.net.how = how
        made.clock.advance(3600)
        async with made.session() as session:
            from opsync.engine.session import open_instance

            for instance in session.config.instances.values():
                client = (await open_instance(instance, session)).client
                with pytest.raises(OpsyncError) as caught:
                    # Shapeless answers are errors where they are read.
                    (await client.read("GET", f"/one?two={instance.name}")).decode(int)
                error = caught.value
                told.add(CHANNELS[2], f"{error} {error!r} {error.args!r} {error.hint}")
                chain = "".join(traceback.format_exception(error))
                told.add(CHANNELS[2], session.pool.redactor.clean(chain))
    made.net.how = ""


def show_all(made: Vault, told: Told) -> None:
    """Everything that holds a secret, as a debugger or a careless line of code would show it."""

    async def show() -> None:
        async with made.session() as session:
            from opsync.engine.session import open_instance

            held: list[Any] = [session.config, session.config.general, session, session.pool]
            held += [session.pool.redactor, session.config.general.alerts]
            held += [session.config.general.service]
            for instance in session.config.instances.values():
                opened = await open_instance(instance, session)
                held += [instance, instance.settings, instance.fingerprint, instance.reads_as]
                held += [opened, opened.client, opened.client.policy, opened.connector]
                held += [instance.settings.model_dump_json(), instance.settings.model_dump()]
            for one in held:
                told.add("repr of what holds them", f"{one!r} {one} {pprint.pformat(one)}")

    asyncio.run(show())


def crash(made: Vault, told: Told, patch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw, with every secret in it and in its cause."""
    every = " ".join(one.value for one in CANARIES[:14])

    async def broken(this: object) -> None:
        try:
            raise KeyError(every)
        except KeyError as error:
            raise ZeroDivisionError(f"with {every!r} \x1b[2J") from error

    with patch.context() as inner:
        inner.setattr("opsync.engine.session.run_pass", broken)
        inner.setenv(TRACEBACK, "1")
        told.add("traceback of a crash", made.opsync("sync"))
        told.add("traceback of a crash", made.opsync("sync", "--json", "--log", "debug"))


def keep(made: Vault, told: Told) -> None:
    """The store's files as they stand on the disk, while it is open."""
    for path in made.folder.glob("opsync.db*"):
        told.add("store and its journal", path.read_bytes().decode("latin-1"))


def gather(made: Vault, patch: pytest.MonkeyPatch) -> Told:
    """Live through good and bad days, and collect all that comes out."""
    told = Told()
    (made.folder / "files").mkdir()
    (made.folder / "pairs.csv").write_text(TOML_PAIRS, encoding="utf-8")
    made.net.watch = lambda: keep(made, told) if made.net.asked % 200 == 0 else None
    told.add("screens", made.opsync("sync"))
    made.unreadable = False
    call_all(made, told)
    log(made, told, patch)
    asyncio.run(raise_all(made, told))
    show_all(made, told)
    crash(made, told, patch)
    keep(made, told)
    for path in sorted((made.folder / "files").iterdir()):
        told.add("files that commands write", path.read_text(encoding="utf-8"))
    for message in made.alerts:
        told.add("alerts", message)
    return told


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Vault, Told]]:
    with vault(tmp_path_factory.mktemp("vault")) as made, pytest.MonkeyPatch.context() as patch:
        yield made, gather(made, patch)


def leaks(canary: Canary, channel: str, made: Vault, told: Told) -> bool:
    if channel == "requests to others":
        return any(canary.is_in(sent) for host, sent in made.net.sent if host not in canary.homes)
    return canary.is_in(told.text(channel))


def test_every_command_is_called() -> None:
    assert set(CALLS) == commands() - (set(EXEMPT) - {"alerts test", "reload"})


@pytest.mark.slow
def test_no_secret_comes_out_anywhere(lived: tuple[Vault, Told]) -> None:
    """Trouble 30, I16"""
    made, told = lived
    found = {
        (canary.name, channel)
        for canary in CANARIES
        for channel in CHANNELS
        if leaks(canary, channel, made, told)
    }
    assert found == set()
    size = sum(len(told.text(one)) for one in CHANNELS)
    sys.stdout.write(
        f"secrets: {len(CANARIES)} canaries × {len(CHANNELS)} channels, {size // 1024} KiB: clean\n"
    )
    assert len(CANARIES) >= 12
    assert len(CHANNELS) >= 10


@pytest.mark.slow
def test_every_secret_was_there_to_come_out(lived: tuple[Vault, Told]) -> None:
    """I16: each was sent where it belongs, or answered; so that the check above can fail."""
    made, _ = lived
    for canary in CANARIES:
        if canary.homes:
            sent = [text for host, text in made.net.sent if host in canary.homes]
            assert any(canary.is_in(text) for text in sent), canary.name


@pytest.mark.slow
def test_every_channel_carries_something(lived: tuple[Vault, Told]) -> None:
    made, told = lived
    marks = {
        "log as JSON": ('"event": "request.answered"', '"event": "request.retried"'),
        "log as text": ("request.answered instance=", "request.retried"),
        "errors with their causes": ("SignInError", "was redirected to 'evil.example'", "***"),
        "screens": (ITEM, "It said:", "***"),
        "--json": ('"instances"', "***"),
        "store and its journal": ("SQLite format 3", "***"),
        "files that commands write": ('"changes"', "[instances.linear]", "# What opsync sees"),
        "repr of what holds them": ("SecretStr('**********')", "Policy("),
        "configuration as shown": ("instances.acme.key", "**********"),
        "traceback of a crash": ("Traceback", "KeyError", "ZeroDivisionError", "***"),
        "alerts": ("out of date", "alive"),
    }
    for channel, words in marks.items():
        text = told.text(channel)
        assert [word for word in words if word not in text] == [], channel
    assert any(host == HOOK_HOST for host, _ in made.net.sent)
    assert "\x1b" not in told.text("traceback of a crash")


@pytest.mark.parametrize("canary", CANARIES, ids=lambda one: one.name)
def test_the_net_catches_every_form(canary: Canary) -> None:
    import base64
    import html
    import json
    from urllib.parse import quote

    value = canary.value
    for text in (
        value,
        value[: value.index(canary.core) + 12],
        quote(value, safe=""),
        json.dumps(value),
        repr(value),
        html.escape(value),
        *(base64.b64encode(f"{user}{value}".encode()).decode() for user in ("", "a:", "ab:")),
        value.encode().hex(),
    ):
        assert canary.is_in(f"before {text} after"), text
    assert not any(canary.is_in(other.value) for other in CANARIES if other is not canary)


@pytest.mark.slow
def test_a_key_that_is_misspelt_or_wrong_is_told_without_its_value(
    lived: tuple[Vault, Told],
) -> None:
    from opsync.config import build

    for canary in CANARIES:
        for block in (
            {"connector": "linear", "tokne": canary.value},
            {"connector": "linear", "token": canary.value, "page_size": canary.value},
            {"connector": "linear", "token": [canary.value]},
            {
                "connector": "linear",
                "token": "x",
                "base_url": f"https://u:{canary.value}@h.example",
            },
            {
                "connector": "linear",
                "token": "x",
                "base_url": f"https://h.example?t={canary.value}",
            },
        ):
            with pytest.raises(ConfigError) as caught:
                build({"instances": {"linear": block}})
            error = caught.value
            said = f"{error} {error!r} {error.problems} {error.hint}"
            said += "".join(traceback.format_exception(error))
            assert not canary.is_in(said), block
