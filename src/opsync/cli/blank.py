"""Arguments and options by which people name something: a blank text names nothing."""

from __future__ import annotations

from typing import TypeVar

import click

T = TypeVar("T", bound=str | tuple[str, ...] | None)


def not_blank(context: click.Context, param: click.Parameter, value: T) -> T:
    """Refuse a blank name, before anything is opened. Whatever looks for a piece of a title would
    find it everywhere, and a script whose variable is unset gives just that."""
    texts = value if isinstance(value, tuple) else () if value is None else (value,)
    if all(text.strip() for text in texts):
        return value
    option = isinstance(param, click.Option)
    what = param.opts[0] if option else param.human_readable_name.strip("[]")
    give = "give it" if param.required else "give it, or leave it out"
    unset = "In a script, see that its variable is set."
    raise click.UsageError(f"{what} is blank and names nothing: {give}. {unset}", context)
