"""Where the tools' tokens come from while `opsync init` runs, and where they go after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opsync.config import env_name, secrets_folder
from opsync.errors import ConfigError
from opsync.redact import Redactor

Origin = Literal["environment", "secrets", "beside", "file", "typed", "sandbox"]

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and where it is from. Those of the environment and of a secrets folder are kept
    already."""

    value: str = field(repr=False)
    origin: Origin

    @property
    def kept(self) -> bool:
        return self.origin in ("environment", "secrets")


@dataclass
class Tokens:
    """The tokens at hand, by the variable that holds each.

    `files` are those named by options, `beside` the folder that an earlier run may have left.
    `replaced` are the variables of those that gave way to a new one, with where they still stand.
    """

    redactor: Redactor
    files: Mapping[str, str] = field(default_factory=dict)
    beside: Path | None = None
    held: dict[str, Token] = field(default_factory=dict)
    replaced: dict[str, Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sum(file == STDIN for file in self.files.values()) > 1:
            raise ConfigError("only one token can come from standard input: name files for others.")

    def find(self, name: str, setting: str = "token") -> Token | None:
        """The connection's token from the environment, else from the secrets folder that is in
        force, else from the file that an option names, else from where an earlier run put it."""
        variable = env_name(name, setting)
        if variable in self.held:
            return self.held[variable]
        if value := os.environ.get(variable, "").strip():
            return self._hold(variable, Token(value, "environment"))
        if value := _in_folder(secrets_folder({}, None), variable):
            return self._hold(variable, Token(value, "secrets"))
        if file := self.files.get(variable):
            return self._hold(variable, Token(_read(file), "file"))
        if value := _in_folder(self.beside, variable):
            return self._hold(variable, Token(value, "beside"))
        return None

    def take(self, name: str, value: str, origin: Origin, setting: str = "token") -> None:
        """Use this token for the connection from now on, whatever the environment has."""
        variable = env_name(name, setting)
        before = self.find(name, setting)
        if before is not None and before.kept:
            self.replaced[variable] = before.origin
        self._hold(variable, Token(value, origin))

    def drop(self, name: str) -> None:
        """Forget the connection's tokens: the connection was left out."""
        prefix = env_name(name)
        for variable in [one for one in self.held if one.startswith(prefix)]:
            del self.held[variable]
            self.replaced.pop(variable, None)

    @property
    def found_beside(self) -> bool:
        """Whether a token comes from where an earlier run put it."""
        return any(token.origin == "beside" for token in self.held.values())

    @property
    def homeless(self) -> dict[str, str]:
        """Tokens that no place keeps yet, by the name of their variable."""
        return {name: token.value for name, token in self.held.items() if not token.kept}

    def _hold(self, variable: str, token: Token) -> Token:
        self.redactor.add(token.value)
        self.held[variable] = token
        if not token.kept:
            os.environ[variable] = token.value
        return token


@contextmanager
def environment_kept() -> Iterator[None]:
    """Put the environment back at the end of the block: tokens are lent to it meanwhile, which is
    where every part of opsync looks for them first."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _read(file: str) -> str:
    if file == STDIN:
        value = sys.stdin.read().strip()
    else:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ConfigError(f"cannot read the token in {file}: {why}") from None
    if not value or len(value.split()) > 1:
        what = "standard input" if file == STDIN else file
        raise ConfigError(f"{what} holds no token: it must be one word, and nothing else.")
    return value


def _in_folder(folder: Path | None, variable: str) -> str:
    """What stands in the folder's file of that name, in any case; "" if there is none."""
    if folder is None or not folder.is_dir():
        return ""
    for path in folder.iterdir():
        if path.name.casefold() == variable.casefold() and path.is_file():
            return path.read_text(encoding="utf-8").strip()
    return ""
