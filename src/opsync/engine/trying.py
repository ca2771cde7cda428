"""Every text that opsync would write, on the items of a store: what `opsync config check` shows.

What no item shows is tried on made-up ones. No tool is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date

from msgspec import Struct

from opsync.config import Config
from opsync.desire import Setting, content_of
from opsync.engine.catalog import Catalog
from opsync.engine.examples import examples, say_besides
from opsync.languages import TEXTS, Words
from opsync.model import Category
from opsync.steps.shared import chunks
from opsync.store import Store
from opsync.teams import private_teams
from opsync.wording import link_content

LINKS = 500
"""So many links of a store are tried."""


class Tried(Struct, frozen=True):
    """A text as it would be written about an item; `made_up` says that there is no such item."""

    name: str
    about: str
    text: str
    made_up: bool = False


class Trial(Struct, frozen=True):
    """All texts tried. `warnings` are lines on those that are too long for their places."""

    language: str
    texts: tuple[Tried, ...]
    warnings: tuple[str, ...] = ()
    initiatives: int = 0
    links: int = 0


@dataclass(frozen=True)
class _Heard(Words):
    """Words that remember what was said: the name of each text, and the text."""

    said: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, words: Words) -> _Heard:
        """The same words, listened to."""
        return cls(**{one.name: getattr(words, one.name) for one in fields(Words)})

    def text(self, name: str, /, **values: str | int) -> str:
        """The text, remembered."""
        text = super().text(name, **values)
        self.said.append((name, text))
        return text


@dataclass
class _Collection:
    """What was tried so far: each text that has something new in it, and what is too long."""

    words: _Heard
    texts: list[Tried] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    long: Counter[str] = field(default_factory=Counter)
    longest: dict[str, Tried] = field(default_factory=dict)

    def take(self, about: str, *, made_up: bool = False) -> None:
        """Look through what was said about an item. Parts are said before what they are in."""
        inside: set[str] = set()
        for name, text in self.words.said:
            inside.add(name)
            spec, limit = TEXTS[name], TEXTS[name].limit
            if not spec.placed:
                continue
            # What has no fields is about no item.
            tried = Tried(name, about, text, made_up) if spec.fields else Tried(name, "", text)
            if inside - self.shown:
                self.texts.append(tried)
                self.shown |= inside
            if limit is not None and len(text) > limit and not made_up:
                self.long[name] += 1
                self.longest[name] = max(
                    tried, self.longest.get(name, tried), key=lambda one: len(one.text)
                )
            inside = set()
        self.words.said.clear()

    def warnings(self) -> Iterator[str]:
        """One line for each text that is too long for its place somewhere."""
        for name, tried in self.longest.items():
            others = self.long[name] - 1
            also = f", and {others} more are too long" if others else ""
            yield (
                f"wording.texts.{name}: {len(tried.text)} characters about {tried.about}, where "
                f"{TEXTS[name].limit} fit{also}: the tool would cut it"
            )


async def try_texts(config: Config, store: Store | None, today: date) -> Trial:
    """Try all texts. Without a store they are about made-up items."""
    words = _Heard.of(config.words)
    found = _Collection(words)
    catalog = Catalog(config)
    setting = _setting(config, catalog, words, today)
    initiatives = links = 0
    if store is not None:
        initiatives = await _try_rollups(store, catalog, setting, found)
        links = await _try_links(store, setting, found)
    for example in examples():
        example.say(words)
        found.take(example.about, made_up=True)
    words.text("column_note")
    found.take("")
    found.texts.append(Tried("health", "", ", ".join(words.health.values())))
    known = [name for category, name in words.status.items() if category is not Category.unknown]
    found.texts.append(Tried("status", "", ", ".join(known)))
    order = list(TEXTS)
    found.texts.sort(key=lambda one: order.index(one.name) if one.name in order else len(order))
    return Trial(
        language=words.language,
        texts=tuple(found.texts),
        warnings=tuple(found.warnings()),
        initiatives=initiatives,
        links=links,
    )


def _setting(config: Config, catalog: Catalog, words: Words, today: date) -> Setting:
    classes = {name: config.plugins.connector(i.connector) for name, i in config.instances.items()}
    return Setting(
        tools={name: class_.title for name, class_ in classes.items()},
        expose={name: i.settings.expose for name, i in config.instances.items()},
        rules={rule.name: rule for rule in config.rules},
        links=config.links,
        as_of=today,
        words=words,
        teams=private_teams(config.instances, config.teams),
        analytics=frozenset(catalog.analytics),
    )


async def _try_rollups(store: Store, catalog: Catalog, setting: Setting, found: _Collection) -> int:
    rollups = [one for one in await store.rollups() if one.rule in setting.rules]
    for chunk in chunks(sorted({one.root for one in rollups})):
        for inputs in await store.target_inputs(chunk):
            for rollup, root in inputs.rollups:
                if root.ref == inputs.record.ref and rollup.rule in setting.rules:
                    # It is told on a screen, which is outside of every tool.
                    shown = setting.discreet(rollup, root)
                    content = content_of(shown, root, inputs.others, setting, at_root=True)
                    say_besides(content, found.words)
                    found.take(content.root.title or content.root.label)
    return len(rollups)


async def _try_links(store: Store, setting: Setting, found: _Collection) -> int:
    tried = 0
    for link in await store.links_page(limit=LINKS):
        for ref in (link.one, link.two):
            record = await store.record(ref)
            if record is None or record.tombstone:
                continue
            shown = setting.card(record)
            if shown.url:
                link_content(shown, setting.words)
                found.take(shown.label)
        tried += 1
    return tried
