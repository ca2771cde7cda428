"""A company with private work of every sort, each item under a word that stands nowhere else.

It is told in two times: first some of what is private later is public, is written about in other
tools, and is decided about; then all of it is private.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from click.testing import CliRunner

from opsync.cli.root import run
from opsync.model import Record, Ref
from opsync.report import PassReport
from tests.support.meter import tool_of
from tests.support.world import (
    JIRA_TOKEN,
    LINEAR_TOKEN,
    NOTION_TOKEN,
    World,
)

JIRA, LINEAR, NOTION, USAGE = "jira-main", "linear", "notion", "usage"

LATER = "Latent"
"""A word of the name of a team that is private in the second time only."""
SPACES = ("Wolfram", "Tungsten", "Opaline", "Hafnium", LATER)
"""One word of the name of each project, team and table of which all work is private."""
MEASURED = "sphalerite"
"""A word of all flags that private initiatives name: what is measured of them is theirs."""
OWNER = "perpetua"
WITHIN = ("obsidian", "carnelian", OWNER)
"""A label, a word of the descriptions and an owner, of private work only: they go nowhere, whatever
`expose` says."""


TOKENS = {JIRA: JIRA_TOKEN, LINEAR: LINEAR_TOKEN, NOTION: NOTION_TOKEN}


@dataclass(frozen=True)
class Hidden:
    """A private item: the sort of it, its tool, its title and its key ("": it has none)."""

    sort: str
    instance: str
    title: str
    key: str = ""
    later: bool = False
    """Whether it was public in the first time."""

    @property
    def word(self) -> str:
        """The word of its title that stands nowhere else."""
        return self.title.split()[0].casefold()

    def titled_in(self, text: str) -> bool:
        """Whether its title, or the address that is made of it, is in a text."""
        return self.word in text.casefold()

    def keyed_in(self, text: str) -> bool:
        """Whether its key is."""
        return bool(self.key) and bool(re.search(rf"(?<!\w){self.key}(?!\d)", text, re.I))


@dataclass
class Canaries:
    """The company, what is hidden in it, and the command line on it."""

    world: World
    expose: str
    patch: pytest.MonkeyPatch
    hidden: list[Hidden] = field(default_factory=list)
    sent_before: dict[str, int] = field(default_factory=dict)
    """How many requests of each tool belong to the first time."""
    transcript: list[str] = field(default_factory=list)
    """All that was printed while the company was made, in the second time."""

    @property
    def config(self) -> Path:
        return self.world.folder / "opsync.toml"

    def configure(self) -> None:
        """Write the configuration as `world.raw` has it now."""
        lines = [f"{key} = {inline(value)}" for key, value in self.world.raw.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def opsync(self, *args: str, stdin: str = "") -> str:
        """Run the command line; all that it printed, on either stream."""
        with CliRunner().isolation(input=stdin) as streams:
            run(args)
            return streams[2].getvalue().decode()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let commands decide and write on a store that is put back afterwards."""
        path = self.world.store_path
        spare = path.with_suffix(".spare")
        shutil.copyfile(path, spare)
        try:
            yield
        finally:
            for old in path.parent.glob(f"{path.name}*"):
                old.unlink()
            shutil.move(spare, path)

    def sync(self, **options: Any) -> PassReport:
        return asyncio.run(self.world.sync(**options))

    def files(self) -> str:
        """What commands wrote into files, which are taken away."""
        found = [path for path in self.world.folder.iterdir() if path.suffix in (".md", ".csv")]
        found = [path for path in found if path.name != "pairs.csv"]
        texts = [path.read_text(encoding="utf-8") for path in sorted(found)]
        for path in found:
            path.unlink()
        return "\n".join(texts)

    def records(self) -> dict[str, Record]:
        """All stored records by title, the hidden ones that lost theirs by key."""

        with sqlite3.connect(self.world.store_path) as connection:
            refs = [Ref.parse(text) for (text,) in connection.execute("SELECT ref FROM records")]
        connection.close()

        async def read() -> dict[str, Record]:
            async with self.world.session() as session:
                rows = await session.store.records_of(refs)
                return {one.title or one.key: one for one in rows.values()}

        return asyncio.run(read())

    def written_elsewhere(self, one: Hidden) -> str:
        """All that was written to other tools than an item's own, since it is private."""
        return "\n".join(
            unquote_plus(f"{each.method} {each.path}?{each.query} ") + _text(each.request_body)
            for name, vendor in self.world.vendors.items()
            if name != one.instance
            for each in list(vendor.exchanges)[self.sent_before[name] if one.later else 0 :]
            if not each.reads
        )

    def annotations(self) -> list[str]:
        """What stands in the analytics tool now."""
        return [note.text for note in tool_of(self.world, USAGE).notes.values()]

    def answers_at_home(self, one: Hidden) -> str:
        """All that an item's own tool ever answered."""
        vendor = self.world.vendors[one.instance]
        return "\n".join(_text(each.answer_body) for each in vendor.exchanges)


def _text(body: bytes) -> str:
    """A body with its escapes resolved, so that no word hides in one."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")


def inline(value: object) -> str:
    """A value as TOML writes it within a line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(n)} = {inline(v)}' for n, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value)
