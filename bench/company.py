"""A generated company with a known truth: which work belongs to which initiative though nobody
says so, and which work stands in two tools.

Titles are made of words as frequent as words are (Zipf), so that distractors share common words
with initiatives by themselves; besides, some are made to mislead: they share the rare word, or all
words but one, or differ by a number. What is true is written down differently: other order, an
ending, a slip, a word more or less, a particle of another language.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

from opsync.model import Category, Kind, Ref
from opsync.suggest import Side

_COMMON = (
    "account address admin alert analytics api app archive audit backup badge balance banner "
    "basket billing board browser budget button cache calendar card catalog charge chart "
    "checkout client cloud color comment company config consent contract cookie country coupon "
    "currency customer dashboard data database deadline desk device dialog discount dispute "
    "document domain download draft email endpoint error event export feature feed fee field "
    "file filter flag footer form fraud gateway graph group guide header history home icon "
    "image import inbox index invoice item job journal key language layout ledger level library "
    "license limit link list load locale log login logo machine mail map member menu merchant "
    "message metric migration mobile model module monitor network note offer office order owner "
    "package page panel parser partner password payment payout permission phone plan platform "
    "plugin policy popup portal preview price pricing printer process product profile project "
    "promo proxy query queue quota rate receipt record redirect refund region release reminder "
    "report request retry review role route rule sandbox schema screen script search section "
    "security seller server service session setting shipping shop signup site slider snapshot "
    "source stage status step storage store strategy support survey switch sync system table "
    "tag task tax team template terminal test theme ticket timeline token tool toolbar tracking "
    "trial trigger update upgrade upload usage user validation vault vendor version view "
    "voucher wallet warehouse webhook widget window wizard workflow workspace"
)
_VERBS = (
    "Add Fix Update Improve Remove Document Test Move Rename Review Speed Clean Design Measure "
    "Drop Support Refactor Replace Investigate Migrate Enable Disable Hide Show Validate Check "
    "Handle"
)
BESIDE = ("web", "backend", "mobile", "api", "rollout", "beta", "core", "phase", "pilot", "launch")
PARTICLES = ("für", "de la", "the", "und", "pour", "of", "del", "mit")
LABELS = ("bug", "tech-debt", "Revenue", "Trust", "Reach", "Growth", "Compliance", "Speed", "Cost")
_SYLLABLES = (
    "ba be bo bra ca che co cra da de do dra el em en fa fe flo ga ge gra ha hi in ja ka ke kra "
    "la le lo lu ma me mi mo na ne no nu or pa pe pla po pra ra re ri ro sa se shi so sta ta te "
    "ti to tra ul va ve vi vo wa we xi ya ze zo"
)
COMMON, VERBS, SYLLABLES = (words.split(" ") for words in (_COMMON, _VERBS, _SYLLABLES))
TODAY = date(2026, 6, 1)
RARE_WORDS = 6000
TWINS_SHARE = 0.015
BELOW = 7


@dataclass
class Company:
    """Its initiatives, its work in the order it is read, and the truth."""

    initiatives: list[Side] = field(default_factory=list)
    work: list[Side] = field(default_factory=list)
    above: dict[Ref, set[Ref]] = field(default_factory=dict)
    members: set[tuple[Ref, Ref]] = field(default_factory=set)
    same: set[frozenset[Ref]] = field(default_factory=set)


class Generator:
    """Makes a company of so many initiatives and items; the same seed, the same company."""

    def __init__(self, initiatives: int, items: int, seed: int = 7) -> None:
        self.rng = random.Random(seed)
        self.made = Company()
        self._count = {"initiatives": initiatives, "items": items}
        self._people = [f"Person {n}" for n in range(300)]
        rare = {
            "".join(self.rng.choices(SYLLABLES, k=self.rng.choice((3, 3, 4))))
            for _ in range(RARE_WORDS)
        }
        self._words = [*self.rng.sample(COMMON, len(COMMON)), *sorted(rare)]
        self._topics = sorted(rare)
        self._cumulated = list(accumulate(1 / (rank + 12) for rank in range(len(self._words))))
        self._next = 0

    def company(self) -> Company:
        self._make_initiatives()
        for one in self.made.initiatives:
            self._around(one)
        self._make_twins(int(self._count["items"] * TWINS_SHARE))
        while len(self.made.work) < self._count["items"]:
            self._item(self._title(), instance=self._instance())
        del self.made.work[self._count["items"] :]
        kept = {one.ref for one in self.made.work}
        assert all(ref in kept for _, ref in self.made.members)
        self.rng.shuffle(self.made.work)
        return self.made

    def word(self) -> str:
        """A word, common ones more often."""
        return self.rng.choices(self._words, cum_weights=self._cumulated)[0]

    def _title(self) -> str:
        words = list(dict.fromkeys(self.word() for _ in range(self.rng.randint(2, 6))))
        return " ".join((self.rng.choice(VERBS), *words))

    def _instance(self) -> str:
        return self.rng.choice(("jira", "jira", "linear"))

    def _make_initiatives(self) -> None:
        rng, titles = self.rng, set[str]()
        while len(titles) < self._count["initiatives"]:
            kind = rng.random()
            if kind < 0.15:  # common words only
                words = rng.sample(COMMON, rng.choice((2, 3)))
            elif kind < 0.85:  # something of its own among common words
                words = [rng.choice(self._topics), *rng.sample(COMMON, rng.choice((1, 2, 2, 3)))]
            else:
                words = rng.sample(self._topics, 2)
            rng.shuffle(words)
            titles.add(" ".join(words).capitalize())
            if rng.random() < 0.08:  # the next one of a series
                titles.add(f"{' '.join(words).capitalize()} v2")
        for number, title in enumerate(sorted(titles)[: self._count["initiatives"]]):
            due = TODAY + timedelta(days=rng.randint(0, 200)) if rng.random() < 0.7 else None
            self.made.initiatives.append(
                Side(
                    ref=Ref("notion", "page", f"{number:05}"),
                    kind=Kind.initiative,
                    title=title,
                    labels=(rng.choice(LABELS),) if rng.random() < 0.6 else (),
                    person=rng.choice(self._people),
                    due_on=due,
                    category=Category.in_progress,
                )
            )

    def _around(self, one: Side) -> None:
        """The work that belongs to an initiative, if any, and what only looks so."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.4:
            container = self._member(one, rng.choice((Kind.project, Kind.epic)))
            self._below(one, container)
        elif kind < 0.65:
            for _ in range(rng.choice((1, 1, 2))):
                self._member(one, Kind.issue)
        words = one.title.lower().split()
        for word in words:  # shares one word only
            for _ in range(2):
                self._item(f"{self._title()} {word}", instance=self._instance())
        for _ in range(2):  # all words but one
            changed = list(words)
            named = [at for at, word in enumerate(words) if word != "v2"]
            changed[rng.choice(named)] = rng.choice(COMMON)
            if set(changed) != set(words):
                self._item(" ".join(changed).capitalize(), instance=self._instance())
        if words[-1] == "v2":
            self._item(" ".join(words[:-1]) + " v3", instance=self._instance(), kind=Kind.epic)

    def _member(self, one: Side, kind: Kind) -> Side:
        rng = self.rng
        near = one.due_on + timedelta(days=rng.randint(-5, 5)) if one.due_on else None
        made = self._item(
            self._told_again(one.title),
            instance="linear" if kind is Kind.project else "jira",
            kind=kind,
            labels=one.labels if rng.random() < 0.4 else (),
            person=one.person if rng.random() < 0.4 else rng.choice(self._people),
            due_on=near if rng.random() < 0.4 else None,
        )
        self.made.members.add((one.ref, made.ref))
        return made

    def _below(self, one: Side, container: Side) -> None:
        """Parts of what belongs: they come with it, and are not to be suggested besides."""
        word = one.title.lower().split()[0]
        for _ in range(BELOW):
            part = self._item(f"{word} {self.word()} {self.word()}", container.ref.instance)
            self.made.above[part.ref] = {container.ref}

    def _told_again(self, title: str) -> str:
        """The same, as somebody else puts it: one or two of the changes people make."""
        words = title.lower().split()
        changes = self.rng.sample(CHANGES, self.rng.choice((1, 1, 2)))
        for change in changes:
            words = change(self.rng, words)
        return " ".join(words).capitalize()

    def _make_twins(self, count: int) -> None:
        rng = self.rng
        for number in range(count):
            title = self._title()
            one = self._item(title, "jira")
            told = rng.random()
            if told < 0.6:
                again = title
            elif told < 0.75:
                again = f"[{rng.choice(BESIDE).capitalize()}] {title.lower()}"
            else:
                change = rng.choice((reordered, slipped, in_plural))
                again = " ".join(change(rng, title.lower().split()))
            days = 0 if rng.random() < 0.8 else rng.randint(3, 60)
            assert one.created_on is not None
            twin = self._item(
                again,
                "linear",
                person=one.person if rng.random() < 0.7 else rng.choice(self._people),
                created_on=one.created_on + timedelta(days=days),
            )
            self.made.same.add(frozenset((one.ref, twin.ref)))
            # Near, and not the same: another word, another number, and what everybody writes.
            words = self._title().split()
            self._item(" ".join(words), "jira")
            other = list(words)
            other[rng.randrange(len(other))] = self.word()
            if sorted(other) != sorted(words):
                self._item(" ".join(other), "linear")
            if number % 5 == 0:
                base = self._title()
                self._item(f"{base} {number}", "jira")
                self._item(f"{base} {number + 1}", "linear")
                for tool in ("jira", "linear", "jira"):
                    self._item(f"Upgrade {COMMON[number % 7]} dependencies", tool)

    def _item(
        self,
        title: str,
        instance: str,
        *,
        kind: Kind = Kind.issue,
        labels: tuple[str, ...] | None = None,
        person: str | None = None,
        due_on: date | None = None,
        created_on: date | None = None,
    ) -> Side:
        rng = self.rng
        self._next += 1
        if labels is None:
            labels = (rng.choice(LABELS),) if rng.random() < 0.3 else ()
        made = Side(
            ref=Ref(instance, "project" if kind is Kind.project else "issue", f"{self._next:07}"),
            kind=kind,
            title=title,
            labels=labels,
            person=person or rng.choice(self._people),
            due_on=due_on,
            created_on=created_on or TODAY - timedelta(days=rng.randint(0, 400)),
            category=rng.choice((Category.todo, Category.in_progress, Category.done)),
        )
        self.made.work.append(made)
        return made


def reordered(rng: random.Random, words: list[str]) -> list[str]:
    return rng.sample(words, len(words))


def slipped(rng: random.Random, words: list[str]) -> list[str]:
    """A slip of the pen in the longest word, behind its first letter."""
    at = max(range(len(words)), key=lambda n: len(words[n]))
    word = words[at]
    if len(word) < 5:
        return words
    place = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.4:
        word = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    elif kind < 0.7:
        word = word[:place] + word[place + 1 :]
    else:
        word = word[:place] + rng.choice("aeinrst") + word[place:]
    return [*words[:at], word, *words[at + 1 :]]


def in_plural(rng: random.Random, words: list[str]) -> list[str]:
    at = rng.randrange(len(words))
    ending = "es" if words[at].endswith(("s", "x", "sh", "ch")) else "s"
    return [*words[:at], words[at] + ending, *words[at + 1 :]]


def with_more(rng: random.Random, words: list[str]) -> list[str]:
    return [*words, *rng.sample(BESIDE, rng.choice((1, 1, 2)))]


def with_less(rng: random.Random, words: list[str]) -> list[str]:
    """Without a common word, where enough is left."""
    common = [word for word in words if word in COMMON]
    if len(words) < 3 or not common:
        return words
    gone = rng.choice(common)
    return [word for word in words if word != gone]


def with_particle(rng: random.Random, words: list[str]) -> list[str]:
    at = rng.randint(1, len(words))
    return [*words[:at], *rng.choice(PARTICLES).split(), *words[at:]]


def hyphenated(rng: random.Random, words: list[str]) -> list[str]:
    """Two words as one, with or without a hyphen."""
    if len(words) < 2:
        return words
    at = rng.randrange(len(words) - 1)
    return [*words[:at], words[at] + rng.choice(("-", "")) + words[at + 1], *words[at + 2 :]]


CHANGES = (reordered, slipped, in_plural, with_more, with_less, with_particle, hyphenated)


def shuffled(items: list[Side], seed: int) -> Iterator[Side]:
    """The same items in another order."""
    return iter(random.Random(seed).sample(items, len(items)))
