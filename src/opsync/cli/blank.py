"""Arguments and options by which people name something: a blank text names nothing."""

from __future__ import annotations

import os
from typing import Any, TypeVar

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


class FilePath(click.Path):
    """The path of a file or a folder. A blank one would be the current folder, and is refused."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """The path that is given."""
        if isinstance(value, str) and param is not None and ctx is not None:
            not_blank(ctx, param, value)
        return super().convert(value, param, ctx)
