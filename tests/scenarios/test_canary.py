"""Private work is named nowhere outside its tool, on no screen and in no export, but as exposed.

One company has private work of every sort, each item under a word of its own. Every command that
there is runs on it, and everything that was written to any tool is looked through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import click
import pytest

from opsync.cli.root import GROUPS, root
from tests.support.canaries import LATER, MEASURED, OWNER, SPACES, WITHIN, Canaries, Hidden
from tests.support.canary_company import company
from tests.support.world import HOSTS

EXEMPT = {
    "alerts test": "posts a message that tells of nothing",
    "reload": "names connections and settings only",
    "serve": "shows what its pages show, which have tests of their own",
    "demo": "shows the simulated company that it starts itself",
    "sandbox": "serves a simulated company",
    "sandbox edit": "changes a simulated company",
    "sandbox move": "changes a simulated company",
    "sandbox outage": "breaks a simulated company",
    "sandbox state": "counts what a simulated company has",
}
"""Commands that show nothing of one's own tools, and why."""

HERE = ("--url", "https://opsync.harbor.example")
WEBHOOKS = {f"webhooks {what}" for what in ("list", "register", "rotate", "remove")}

SETUP = frozenset(
    {"init", "doctor", "config show", "config check", "config schema", "people"} | WEBHOOKS
)
"""Commands that name teams, projects and tables, private ones too: a configuration is made of
these. Owners are people and no work. No item is named there either."""


PRIVATE, ACCEPTED = "PAY-5", "MOB-4"
"""A private item, and one that was accepted with "Vineyard", by their keys: whoever types a key
knows it."""

PAIRS = f"""\
one,two,kind,verdict,note
Harvest,{PRIVATE},,,
keys,Harvest,,,several have this in their title
Vineyard,{ACCEPTED},related,,
nothing is called so,Harvest,,,
"""


@dataclass(frozen=True)
class Screen:
    """The ways to call one command. `names` says that it names items, so that it must show what
    is exposed; `writes` that it changes the store, which is then put back."""

    calls: tuple[tuple[str, ...], ...]
    names: bool = True
    writes: bool = False
    first: tuple[tuple[str, ...], ...] = ()
    """What has to be called before each, where it needs that."""


NEIGHBORS = (
    *("One-tap checkout", "Loyalty", "Harvest", "Irrigation", "Orchard", "Pasture", "Granary"),
    *("Vineyard", "Referral programme", "Checkout web", "Meadow"),
    *("PAY-1", "PAY-2", "PAY-3", "PAY-4", "MOB-1"),
    *("GRO-1", "GRO-2", "GRO-3", "GRO-4", "GRO-5", "GRO-6", "GRO-7"),
)
"""Public items beside private ones."""


def both(*args: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A call for people and the same for programs."""
    return args, (*args, "--json")


SCREENS: Mapping[str, Screen] = {
    "init": Screen(
        (
            (
                *("init", "--force", "--no-look", "--mode", "apply", "--out", "new.toml"),
                *("--jira", "https://harbor.atlassian.net", "--jira-email", "ana@harbor.example"),
                *("--linear", "--notion", "Roadmap"),
            ),
            ("init", "--ask-admin"),
        ),
        names=False,
    ),
    "look": Screen(
        (
            *both("look"),
            *both("look", "--offline"),
            ("look", "--all"),
            ("look", "--markdown"),
            ("look", "--all", "--markdown", "look.md"),
        ),
        writes=True,
    ),
    "doctor": Screen((*both("doctor"), ("doctor", "--log", "debug")), names=False),
    "plan": Screen(
        (
            *both("plan"),
            ("plan", "--all", "--log", "debug"),
            *both("plan", "--offline"),
            ("plan", "--offline", "--all"),
            ("plan", "--offline", "Harvest"),
        ),
        writes=True,
    ),
    "status": Screen((*both("status"), ("status", "--all"))),
    "explain": Screen(
        (
            *(
                call
                for item in NEIGHBORS
                for call in (*both("explain", item), ("explain", item, "Work"))
            ),
            *both("explain", "Harbor app"),
            ("explain", "Meadow", "Annotation"),
        )
    ),
    "digest": Screen((*both("digest"), ("digest", "--weeks", "4"))),
    "links list": Screen((*both("links"), *both("links", "list", "PAY-4"), ("links", "Harvest"))),
    "links suggest": Screen(both("links", "suggest"), writes=True),
    "links accept": Screen(
        (
            ("links", "accept", "Harvest", PRIVATE),
            ("links", "accept", "PAY-4", PRIVATE),
            ("links", "accept", "keys", "Harvest"),
        ),
        writes=True,
    ),
    "links reject": Screen((("links", "reject", "Vineyard", PRIVATE),), writes=True),
    "links add": Screen((("links", "add", "Orchard", PRIVATE),), writes=True),
    "links remove": Screen(
        (
            ("links", "remove", "Vineyard", ACCEPTED),
            ("links", "remove", "Harvest", PRIVATE),
        ),
        writes=True,
    ),
    "links import": Screen(
        (("links", "import", "pairs.csv", "--dry-run"), ("links", "import", "pairs.csv")),
        writes=True,
    ),
    "links export": Screen((("links", "export"), ("links", "export", "export.csv"))),
    "records": Screen(
        (
            *both("records"),
            ("records", "--connection", "jira-main"),
            ("records", "--kind", "project"),
        )
    ),
    "statuses": Screen((*both("statuses", "--all"), *both("statuses", "--offline")), names=False),
    "rollups": Screen(both("rollups")),
    "journal": Screen(both("journal")),
    "aside": Screen(both("aside")),
    "aside retry": Screen(both("aside", "retry"), writes=True),
    "owned": Screen((*both("owned"), *both("owned", "Harvest"))),
    "resolve": Screen(
        (*both("resolve", "Irrigation"), ("resolve", "Irrigation", "--theirs")), writes=True
    ),
    "pause": Screen((*both("pause"), ("pause", "linear")), names=False, writes=True),
    "webhooks list": Screen(both("webhooks", "list"), names=False),
    "webhooks register": Screen(both("webhooks", "register", *HERE), names=False, writes=True),
    "webhooks rotate": Screen(both("webhooks", "rotate", *HERE), names=False, writes=True),
    "webhooks remove": Screen(both("webhooks", "remove", "--all"), names=False, writes=True),
    "undo": Screen(
        (*both("undo", "1", "--dry-run"), *both("undo", "Harvest", "--dry-run")), writes=True
    ),
    "release": Screen(
        (
            *both("release", "--all", "--remove", "--dry-run"),
            ("release", "Harvest", "--keep"),
        ),
        writes=True,
    ),
    "config show": Screen(both("config", "show"), names=False),
    "config check": Screen(both("config", "check")),
    "config schema": Screen((("config", "schema"),), names=False),
    "db upgrade": Screen((("db", "upgrade"),), names=False, writes=True),
    "db check": Screen(both("db", "check"), names=False),
    "db backup": Screen(
        (("db", "backup", "copy.db"), ("db", "backup", "copy.db", "--force", "--json")),
        names=False,
    ),
    "db restore": Screen(
        both("db", "restore", "copy.db"),
        names=False,
        writes=True,
        first=(("db", "backup", "copy.db", "--force"),),
    ),
    "db prune": Screen(both("db", "prune"), names=False, writes=True),
    "plugins": Screen(both("plugins"), names=False),
    "people": Screen(both("people"), names=False),
    "sync": Screen(
        (
            *both("sync", "--dry-run"),
            *both("sync", "--mode", "apply"),
            ("sync", "--full", "--log", "debug"),
        ),
        writes=True,
    ),
    "apply": Screen(
        (
            ("apply", "--json"),
            ("apply",),
            ("apply", "--item", "Vineyard"),
            *both("apply", "--approvals"),
        ),
        writes=True,
        # It names what it would write, and leaves the tools as they are for what comes after.
        first=(
            ("plan",),
            *(("pause", name) for name in ("jira-main", "linear", "notion", "usage")),
        ),
    ),
}
"""Every command with the ways to call it, those that write into tools last."""


def commands() -> set[str]:
    """All commands, as they are called: those without commands of their own, and groups that do
    something without one."""
    found = set()
    context = click.Context(root)
    for group in GROUPS.values():
        for name in group:
            command = root.get_command(context, name)
            assert command is not None
            found |= set(_below(name, command))
    return found


def _below(name: str, command: click.Command) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield name
        return
    if command.invoke_without_command:
        yield name
    for inner, below in command.commands.items():
        yield from _below(f"{name} {inner}", below)


@pytest.fixture(
    scope="module",
    params=["nothing", *(pytest.param(one, marks=pytest.mark.slow) for one in ("key", "title"))],
)
def canaries(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Canaries]:
    """The company under each setting of `expose`."""
    with company(tmp_path_factory.mktemp("canaries"), request.param) as made:
        (made.world.folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
        yield made


def leaks(
    text: str, hidden: Iterable[Hidden], expose: str, typed: Collection[str] = ()
) -> set[str]:
    """What a text tells of private work beyond what is exposed; keys in `typed` were known."""
    found = set()
    for one in hidden:
        if expose != "title" and one.titled_in(text):
            found.add(one.word)
        if expose == "nothing" and one.key not in typed and one.keyed_in(text):
            found.add(one.key)
    return found


def beside(text: str, name: str, expose: str) -> set[str]:
    """What a command tells of private work besides: where it is, of what kind, whose."""
    words = [*WITHIN]
    if name == "people":
        words.remove(OWNER)  # An account is no work: it is listed, and not whose items it owns.
    if name not in SETUP and expose != "title":
        words += SPACES
    if expose != "title":
        words.append(MEASURED)
    return {word for word in words if word.casefold() in text.casefold()}


def told(
    canaries: Canaries, calls: Iterable[Sequence[str]], screen: Screen = Screen(())
) -> dict[str, str]:
    """What these calls print and write into files, by call."""
    found = {}
    for call in calls:
        with canaries.apart() if screen.writes else nullcontext():
            for before in screen.first:
                canaries.opsync(*before)
            said = canaries.opsync(*call)
        found[" ".join(call)] = said + canaries.files()
    return found


def check_screens(canaries: Canaries, *, plain: bool) -> None:
    """Call every command, in its `plain` way only or in all, and look for what is hidden."""
    found: dict[str, set[str]] = {}
    silent = []
    for name, screen in SCREENS.items():
        calls = screen.calls[:1] if plain else screen.calls
        said = told(canaries, calls, screen)
        assert "unexpected error" not in "".join(said.values()), name
        for call, text in said.items():
            found[call] = leaks(text, canaries.hidden, canaries.expose, typed=call.split())
            found[call] |= beside(text, name, canaries.expose)
        titled = any(one.titled_in(text) for one in canaries.hidden for text in said.values())
        if screen.names and not titled:
            silent.append(name)
    assert {call: words for call, words in found.items() if words} == {}
    if canaries.expose == "title":
        assert silent == [], "these cannot fail: they show no private item although they may"


def test_every_command_is_called_or_exempt_with_a_reason() -> None:
    assert commands() == SCREENS.keys() | EXEMPT.keys()
    assert SCREENS.keys().isdisjoint(EXEMPT)


def test_the_net_catches_something(canaries: Canaries) -> None:
    """What is hidden is in its own tool and, unless it was never readable, in the store."""
    stored = canaries.records()
    for one in canaries.hidden:
        at_home = canaries.answers_at_home(one)
        assert one.titled_in(at_home), one
        assert not one.key or one.keyed_in(at_home), one
        known = one.title in stored or one.key in stored
        assert known is (one.sort != "never readable"), one
    assert {"out of scope", "not visible"} <= {one.tombstone for one in stored.values()}
    assert all(
        record.private or record.tombstone
        for name, record in stored.items()
        if any(name in (one.title, one.key) for one in canaries.hidden)
    )


def test_what_is_written_into_other_tools_tells_no_more_than_is_exposed(
    canaries: Canaries,
) -> None:
    found = {}
    for one in canaries.hidden:
        text = canaries.written_elsewhere(one)
        # On its own page an initiative is told by the flag that stands there.
        besides = beside(text, "", canaries.expose) - {MEASURED}
        found[one.sort] = leaks(text, [one], canaries.expose) | (
            besides if one.later else besides - {LATER}
        )
    assert {sort: words for sort, words in found.items() if words} == {}


@pytest.mark.slow
def test_annotations_tell_of_no_release_that_is_private(canaries: Canaries) -> None:
    found = canaries.annotations()
    assert any("Meadow" in text for text in found), "the check below can fail"
    for text in found:
        assert leaks(text, canaries.hidden, canaries.expose) == set()
        assert beside(text, "", canaries.expose) == set()
    if canaries.expose == "title":
        assert {"Andesite plan", "Breccia plan"} <= {
            one.title for one in canaries.hidden for text in found if one.title in text
        }


def test_what_private_initiatives_measure_is_named_where_they_are(canaries: Canaries) -> None:
    """It was asked for, and is told of them alone, if at all."""

    async def asked() -> set[str]:
        async with canaries.world.session() as session:
            return {metric.name for metric in await session.store.measured()}

    assert {f"{MEASURED}-one", f"{MEASURED}-two", "meadow"} <= asyncio.run(asked())
    stored = canaries.records()
    said = "".join(
        canaries.opsync("explain", str(record.ref), "Adoption")
        for record in stored.values()
        if record.title in ("Andesite plan", "Breccia plan")
    )
    assert "Not measured: Meter has no flag" in said
    assert (MEASURED in said) is (canaries.expose == "title")
    for name in ("jira-main", "linear"):
        sent = (each for each in canaries.world.vendors[name].exchanges if not each.reads)
        assert not any(MEASURED.encode() in each.request_body for each in sent)


@pytest.mark.slow
def test_what_is_exposed_is_written_into_other_tools(canaries: Canaries) -> None:
    """The other way round: the check above can fail."""
    sorts = {one.sort: canaries.written_elsewhere(one) for one in canaries.hidden}
    hidden = {one.sort: one for one in canaries.hidden}
    titled = {sort for sort, text in sorts.items() if hidden[sort].titled_in(text)}
    keyed = {sort for sort, text in sorts.items() if hidden[sort].keyed_in(text)}
    with_keys = {
        *("security level", "private project", "private team", "gone", "set aside"),
        *("original of a copy", "copy of a public issue", "done with open parts"),
    }
    without = {
        *("restricted page", "private initiative of Linear"),
        "private project of Linear, its owner left",
    }
    assert with_keys <= keyed if canaries.expose != "nothing" else not keyed
    assert with_keys | without <= titled if canaries.expose == "title" else not titled


@pytest.mark.slow
def test_runs_while_it_becomes_private_tell_and_log_no_more_than_is_exposed(
    canaries: Canaries,
) -> None:
    assert "request.answered" in "".join(canaries.transcript), "the log is part of it"
    for said in canaries.transcript:
        assert leaks(said, canaries.hidden, canaries.expose) == set()
        assert beside(said, "", canaries.expose) == set()


@pytest.mark.slow
@pytest.mark.parametrize("canaries", ["nothing"], indirect=True)
def test_no_screen_and_no_export_tells_more_than_is_exposed(canaries: Canaries) -> None:
    """Under the other settings this is a part of the next one."""
    check_screens(canaries, plain=True)


@pytest.mark.slow
def test_no_way_to_call_a_command_tells_more_than_is_exposed(canaries: Canaries) -> None:
    check_screens(canaries, plain=False)


@pytest.mark.slow
def test_a_private_item_that_is_asked_for_by_its_ref_or_key_keeps_its_title(
    canaries: Canaries,
) -> None:
    stored = canaries.records()
    shown = ""
    for one in canaries.hidden:
        record = stored.get(one.title) or stored.get(one.key)
        if record is None:
            continue
        for name in filter(None, (str(record.ref), one.key)):
            for call in both("explain", name):
                said = canaries.opsync(*call)
                shown += said
                assert "error" not in said, said
                assert leaks(said, canaries.hidden, canaries.expose, typed=[name]) == set(), call
                assert beside(said, "explain", canaries.expose) == set(), call
    titled = {one.sort for one in canaries.hidden if one.titled_in(shown)}
    assert bool(titled) is (canaries.expose == "title")


def unreadable(answer: Any) -> None:
    """An answer whose page is right but for its end, as when a vendor changes its shape."""
    if isinstance(answer, dict):
        for name in ("pageInfo", "has_more", "isLast"):
            if name in answer:
                answer[name] = "not what it should be"
        for each in answer.values():
            unreadable(each)


@pytest.mark.parametrize(
    "fault",
    [
        "unreadable",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("outage", "cut_next")),
        pytest.param("refuse_token", marks=pytest.mark.slow),
    ],
)
def test_no_error_and_no_log_of_one_quotes_private_work(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    world = canaries.world
    with canaries.apart():
        for name, vendor in world.vendors.items():
            if fault == "unreadable":
                monkeypatch.setitem(world.net.spoil, HOSTS[name], unreadable)
            else:
                value = 1000 if fault == "cut_next" else True
                monkeypatch.setattr(vendor.faults, fault, value)
        calls = (
            ("sync", "--full", "--log", "debug"),
            ("status",),
            ("look", "--offline", "--all"),
            ("doctor", "--log", "debug"),
        )
        said = told(canaries, calls)
    assert "error" in said["sync --full --log debug"]
    for call, text in said.items():
        assert leaks(text, canaries.hidden, canaries.expose) == set(), call
