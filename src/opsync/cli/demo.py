"""`opsync demo`: five scenes in a made-up company, over real HTTP, without any account."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsync.cli.blank import FilePath
from opsync.cli.common import json_option, print_json, run_async
from opsync.errors import OpsyncError

if TYPE_CHECKING:
    from opsync.cli.demo_scenes import Scene
    from opsync.cli.demo_world import World
    from opsync.config import Config
    from opsync.report import PassReport

FOLDER = Path("opsync-demo")
SANDBOX_URL = "http://127.0.0.1:8790"
"""Where `opsync sandbox …` looks by itself."""

MARGIN = "   "
NAMED = 3
"""So many failed writes are named."""
OPENING = """\
Harbor, a made-up payments company: work in Jira and Linear, roadmap in Notion, use in PostHog.
The four are simulated here, over real HTTP.
They announce ten times the vendors' limits, and opsync's limiter stays on.
"""


class PassFailed(OpsyncError):
    """A pass of the demo is not what its scene tells of; ends with the exit code of the pass."""

    def __init__(self, message: str, *, hint: str, code: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = code


@click.command()
@click.option("--keep", is_flag=True, help="Leave the sandbox running, to try the other commands.")
@click.option(
    "--dir",
    "folder",
    type=FilePath(path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Where --keep puts the configuration and the store.",
)
@json_option
def demo(keep: bool, folder: Path, as_json: bool) -> int:
    """See it work in a minute, without any account.

    Harbor, a made-up payments company, has its work in Jira and Linear, its roadmap in Notion and
    its analytics in PostHog. All four are simulated on this machine; nothing leaves it, and nothing
    of yours is touched.
    """
    from opsync.cli.demo_world import kept, passing, undisturbed
    from opsync.log import configure
    from opsync.redact import Redactor
    from opsync.sandbox.launch import ends_when_told

    configure(json=False, level="error", secrets=Redactor())
    tell = _nobody if as_json else _Teller()
    with ends_when_told(), undisturbed(), kept(folder) if keep else passing() as world:
        if not as_json:
            click.echo(OPENING)
        passes: list[PassReport] = []
        try:
            run_async(play(world, tell, passes))
        finally:
            if as_json:
                print_json({"passes": [one.summary() for one in passes]})
    _tell_next(world, to_stderr=as_json)
    return 0


class _Teller:
    """Prints scenes as they come, numbered; on a terminal no wider than that."""

    def __init__(self) -> None:
        self._told = 0
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def __call__(self, scene: Scene) -> None:
        self._told += 1
        click.echo(f"{click.style(str(self._told), bold=True)}  {scene.sentence}")
        for line in scene.lines:
            click.echo(self._fitted(f"{MARGIN}{line}", scene.hanging))
        click.echo()

    def _fitted(self, line: str, hanging: int | None) -> str:
        if self._width is None or len(line) <= self._width:
            return line
        if hanging is None:
            return line[: self._width - 1] + "…"
        indent = MARGIN + " " * hanging
        return textwrap.fill(line, max(self._width, 60), subsequent_indent=indent)


def _nobody(scene: Scene) -> None:
    """Tell it to no one: a program reads the numbers only."""


async def play(world: World, tell: Callable[[Scene], None], passes: list[PassReport]) -> None:
    """Run the demo's passes and tell its scenes; the first pass and the second go to `passes`.

    Raises PassFailed as soon as a pass is not what its scene tells of.
    """
    import asyncio

    from opsync.cli import demo_scenes as scenes
    from opsync.config import read

    client, config = world.client, read(world.config)
    before = await asyncio.to_thread(client.page, scenes.SHOWN)
    first = await _sync(config)
    passes.append(first)
    demand(first, writes=True)
    tell(await _contradictions(config))
    tell(scenes.the_plan(first))
    after, shipped = [
        await asyncio.to_thread(client.page, title) for title in (scenes.SHOWN, scenes.SHIPPED)
    ]
    tell(scenes.the_page(before, after, shipped))
    second = await _sync(config)
    passes.append(second)
    demand(second, writes=False)
    tell(scenes.second_run(second))
    did = await asyncio.to_thread(client.move, scenes.MOVED, "done")
    third = await _sync(config, only=frozenset({"jira-main"}))
    demand(third, writes=True)
    tell(scenes.closed(did, third, await _explained(config)))


def demand(report: PassReport, *, writes: bool) -> None:
    """Raise PassFailed unless the pass is whole, has all initiatives, and wrote, or did not."""
    from opsync.model import OutcomeKind
    from opsync.sandbox.harbor import EXPECTED

    troubled = [one for one in report.instances if one.trouble]
    why = [f"{one.instance}: {one.message or one.trouble}" for one in troubled]
    why += [
        f"{change.slot.target}: {outcome.message}"
        for change, outcome in report.outcomes
        if outcome.kind is OutcomeKind.failed
    ][:NAMED]
    if report.rollups < len(EXPECTED):
        why.append(f"{report.rollups} of {len(EXPECTED)} initiatives have a summary")
    if writes and not report.applied:
        why.append("nothing was written")
    if not writes and (report.planned or report.write_requests):
        why.append("it found something to write although nothing had changed")
    if report.exit_code and not why:
        why.append("it was done in part")
    if why:
        hint = next((one.hint for one in troubled if one.hint), "")
        told = f"the demo stops, since run {report.run} went wrong. {'; '.join(why)}"
        raise PassFailed(told, hint=hint, code=report.exit_code or 1)


async def _sync(config: Config, *, only: frozenset[str] = frozenset()) -> PassReport:
    """One pass, in a session of its own, as a command would run it."""
    from opsync.engine.session import open_session

    async with open_session(config, "demo") as session:
        return await session.sync("demo", only=only)


async def _contradictions(config: Config) -> Scene:
    from opsync.cli.demo_scenes import contradictions
    from opsync.engine.overview import overview
    from opsync.engine.session import open_session

    async with open_session(config, "demo", exclusive=False) as session:
        found = await overview(config, session.store, session.runtime.clock.now())
    return contradictions(found.initiatives)


async def _explained(config: Config) -> list[str]:
    """What `opsync explain` prints about the shown page's Delivery, line by line."""
    from opsync.cli.demo_scenes import SHOWN
    from opsync.cli.explainvalues import print_values
    from opsync.engine.explain import Explainer
    from opsync.engine.session import open_session

    async with open_session(config, "demo", exclusive=False) as session:
        explainer = Explainer(config, session.store)
        found = await explainer.explain(
            (await explainer.find(SHOWN))[0], session.runtime.clock.now()
        )
        now = session.runtime.clock.now()
    values = [one for one in found.values if one.target == found.item and one.place == "Delivery"]
    with redirect_stdout(StringIO()) as printed:
        print_values(found, values, now, config.zone)
    return printed.getvalue().splitlines()


def _tell_next(world: World, *, to_stderr: bool) -> None:
    from opsync.cli.called import called
    from opsync.cli.demo_world import CONFIG

    opsync = called()

    def say(line: str) -> None:
        click.echo(line, err=to_stderr)

    def say_three(other: str = "") -> None:
        say(f"  {opsync} status")
        say(f'  {opsync} explain "Offline mode" Delivery')
        say(f"  {opsync} sandbox move GRO-44 done{other} && {opsync} sync")

    if world.pid is not None:
        other = "" if world.client.url == SANDBOX_URL else f" --url {world.client.url}"
        say(f"The sandbox goes on at {world.client.url}; its world is in {world.config.parent}.")
        say("Try:")
        say(f"  export OPSYNC_CONFIG={shlex.quote(str(world.config))}")
        say_three(other)
        say(f"End it: kill {world.pid} && rm -r {shlex.quote(str(world.config.parent))}")
    elif not to_stderr:
        say("All of that is gone again. The same world, to try things in:")
        say(f"  {opsync} demo --keep")
        say(f"  export OPSYNC_CONFIG={FOLDER / CONFIG}")
        say_three()
    if not to_stderr:
        say(f"Now yours: {opsync} init")
