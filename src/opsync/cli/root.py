"""The root command: its groups as `--help` shows them, and how errors end the process."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from opsync.__about__ import __version__
from opsync.cli.around import Around
from opsync.errors import ConfigError, OpsyncError
from opsync.log import one_line

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("opsync.cli.demo:demo", "See it work in a minute, without any account."),
        "init": ("opsync.cli.init.command:init", "Connect your own tools, one at a time."),
        "look": (
            "opsync.cli.look:look",
            "See what people say and what is measured; write nothing.",
        ),
        "doctor": ("opsync.cli.doctor:doctor", "Test every connection and say what mends it."),
    },
    "Daily": {
        "sync": ("opsync.cli.sync:sync", "Read all tools, then write what is missing."),
        "plan": ("opsync.cli.plan:plan", "Show what a sync would write, and write nothing."),
        "apply": ("opsync.cli.apply:apply", "Write what a plan has, and nothing else."),
        "status": ("opsync.cli.status:status", "All initiatives and connections at a glance."),
        "explain": ("opsync.cli.explain:explain", "Why an item counts, or does not; why a value."),
        "digest": ("opsync.cli.digest:digest", "The week in eight lines, here or into Slack."),
    },
    "Look up": {
        "links": ("opsync.cli.links:links", "Which items belong together, and why."),
        "records": ("opsync.cli.browse:records", "What was read."),
        "statuses": (
            "opsync.cli.statuses:statuses",
            "What each status counts as; which look wrong.",
        ),
        "people": ("opsync.cli.people:people", "Who is who across tools, and what is in doubt."),
        "rollups": ("opsync.cli.browse:rollups", "Delivery summaries with their numbers."),
        "aside": ("opsync.cli.aside:aside", "What could not be read or written; try it again."),
        "journal": ("opsync.cli.browse:journal", "Every write that was tried."),
    },
    "Trust": {
        "undo": ("opsync.cli.undo:undo", "Put back what stood before a run, a change, an item."),
        "owned": ("opsync.cli.owned:owned", "Everything that opsync owns anywhere."),
        "release": ("opsync.cli.owned:release", "Give it up: keep the values, or remove them."),
        "resolve": ("opsync.cli.resolve:resolve", "Say whose value is to stand at a place."),
        "pause": ("opsync.cli.pause:pause", "Stop all writes at once."),
    },
    "Run": {
        "serve": ("opsync.cli.serve:serve", "Keep everything in step, and show how it stands."),
        "reload": ("opsync.cli.serve:reload", "Have the service take a changed configuration."),
        "webhooks": (
            "opsync.cli.webhooks:webhooks",
            "Have tools tell at once that something changed.",
        ),
        "alerts": ("opsync.cli.alerts:alerts", "Try who is told when nobody looks."),
        "config": ("opsync.cli.config:config", "Show and check the configuration."),
        "db": ("opsync.cli.db:db", "Look after the store."),
    },
    "Build": {
        "plugins": ("opsync.cli.plugins:plugins", "Which plugins there are, and their state."),
        "sandbox": ("opsync.cli.sandbox:sandbox", "A company to try things on, over real HTTP."),
    },
}

EXIT_CODES = """\
Exit codes: 0 done · 1 done in part · 2 usage or configuration · 3 a sign-in was refused ·
4 another opsync holds the store · 5 the store is unusable · 70 unexpected error ·
130 stopped with Ctrl-C
(plan --exit-code: 10 changes wait)"""

UNEXPECTED = 70
"""EX_SOFTWARE of sysexits.h."""
STOPPED = 130
"""128 and the number of SIGINT, as shells have it."""
TRACEBACK = "OPSYNC_TRACEBACK"
"""Set to anything: an unexpected error shows where it came from."""


class Root(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in GROUPS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for commands in GROUPS.values():
            if cmd_name in commands:
                module, _, name = commands[cmd_name][0].partition(":")
                command = getattr(import_module(module), name)
                assert isinstance(command, click.Command)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            if not near or "Did you mean" in error.message:
                raise
            told = f"{error.message} Did you mean '{near[0]}'?"
            raise click.UsageError(told, ctx=error.ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for commands in GROUPS.values() for name in commands)
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), text) for name, (_, text) in commands.items()]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + EXIT_CODES + "\n")


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="opsync")
def root() -> None:
    """Your roadmap shows what Jira, Linear and usage really say, and nobody copies statuses by
    hand."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    around = Around()
    try:
        code = root.main(args=args, prog_name="opsync", standalone_mode=False, obj=around)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code if isinstance(error, click.UsageError) else 2
    except click.Abort:
        click.echo("stopped", err=True)
        return STOPPED
    except OpsyncError as error:
        return report_error(error, around)
    except BrokenPipeError:
        _quiet_stdout()
        return 0
    except SystemExit as error:
        # Click and rich end the process like this when the reader of a pipe has gone away.
        _quiet_stdout()
        return 0 if error.code == 1 else UNEXPECTED
    except Exception as error:  # noqa: BLE001 - whatever was not foreseen ends here, told
        return _unexpected(error, around)
    return code if isinstance(code, int) else 0


def report_error(error: OpsyncError, around: Around) -> int:
    """Tell of an error and its next step; returns the exit code that goes with it."""
    if isinstance(error, ConfigError) and error.problems != (str(error),):
        first, *more = error.problems
        each = "  " if first.endswith(":") else "error: "
        lines = [f"error: {first}", *(f"{each}{problem}" for problem in more)]
    else:
        lines = [f"error: {error.message}"]
        if error.hint:
            lines.append(f"  {error.hint}")
    for line in lines:
        click.echo(one_line(around.clean(line)), err=True)
    return error.exit_code


def _unexpected(error: Exception, around: Around) -> int:
    """Tell of an error that opsync did not foresee, without a secret in it."""
    if os.environ.get(TRACEBACK):
        text = around.clean("".join(traceback.format_exception(error)))
        for line in text.splitlines():
            click.echo(one_line(line), err=True)
    said = around.clean(f"{type(error).__name__}: {error}")
    click.echo(f"unexpected error: {one_line(said)}", err=True)
    click.echo(
        f"  This is a fault in opsync. Run again with {TRACEBACK}=1 set and report what it tells.",
        err=True,
    )
    return UNEXPECTED


def _quiet_stdout() -> None:
    """Keep the interpreter from complaining about a reader that went away (`| head`)."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
