"""The Dockerfile as data: stages of instructions, as far as ours uses the language."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in upper case and the rest of its (joined) lines."""

    name: str
    rest: str

    def words(self) -> list[str]:
        """The rest as words: the JSON form where it is one, else as the shell would split it."""
        if self.rest.startswith("["):
            words: list[str] = json.loads(self.rest)
            return words
        return shlex.split(self.rest)

    def options(self) -> tuple[dict[str, str], list[str]]:
        """The leading `--name=value` options, and the words after them."""
        options: dict[str, str] = {}
        words = self.words()
        while words and words[0].startswith("--"):
            name, _, value = words.pop(0)[2:].partition("=")
            options[name] = value
        return options, words


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction | None:
        """The instruction of that name that counts: the last."""
        found = [one for one in self.instructions if one.name == name]
        return found[-1] if found else None

    def env(self) -> dict[str, str]:
        """All that ENV sets."""
        return dict(
            word.partition("=")[::2]
            for one in self.instructions
            if one.name == "ENV"
            for word in one.words()
        )


def _lines(text: str) -> Iterator[str]:
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        joined += line.rstrip()
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        if joined.strip():
            yield joined.strip()
        joined = ""


def parse(text: str) -> list[Stage]:
    """The stages of a Dockerfile. Raises ValueError for what it does not know."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for line in _lines(text):
        name, _, rest = line.partition(" ")
        name, rest = name.upper(), rest.strip()
        if name == "ARG" and not stages:
            key, _, value = rest.partition("=")
            arguments[key] = value
        elif name == "FROM":
            base, _, alias = re.sub(
                r"\$\{(\w+)\}", lambda match: arguments[match[1]], rest
            ).partition(" AS ")
            stages.append(Stage(base, alias or str(len(stages))))
        elif name in KNOWN and stages:
            stages[-1].instructions.append(Instruction(name, rest))
        else:
            raise ValueError(f"unknown instruction: {line}")
    return stages


KNOWN = {
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "HEALTHCHECK",
    "RUN",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}


def allowed(path: str, dockerignore: str) -> bool:
    """Whether a path of the context reaches the build, with an ignore file that starts from `*`."""
    lines = [line.strip() for line in dockerignore.splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    if not rules or rules[0] != "*":
        raise ValueError("the ignore file must begin with *, and name what is let through")
    top = path.strip("/").partition("/")[0]
    return f"!{top}" in rules
