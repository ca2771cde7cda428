"""Arguments of a command that exclude each other: whoever gives both means one of them, and only
they know which."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])


def excludes(one: str, *others: str) -> Callable[[F], F]:
    """Refuse a call that gives `one` with any of the `others`, before anything is opened.

    Each is named as people type it: "--keep" for an option, "ITEM" for an argument. It stands
    between the command and its options.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def command(*args: Any, **given: Any) -> Any:
            context = click.get_current_context()
            if _given(context, one):
                for other in others:
                    if _given(context, other):
                        raise click.UsageError(f"{one} and {other} exclude each other: give one.")
            return function(*args, **given)

        return command  # type: ignore[return-value]

    return decorate


def _given(context: click.Context, name: str) -> bool:
    """Whether somebody typed it."""
    (param,) = (
        param
        for param in context.command.params
        if name in param.opts or (isinstance(param, click.Argument) and name.lower() == param.name)
    )
    assert param.name is not None
    return context.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
