"""What changed is enough to look at: links and numbers are as if all were derived from scratch.

Records, mirrors' marks and decisions change one by one, by the die, with passes between them. After
each pass all is as in a store that derives everything every time, and in the end as in a new one
that is only given how things are by then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from msgspec.structs import replace

from opsync.config import Config
from opsync.model import Category, Kind, Mention, PairDecision, Part, Record, Ref, Status
from opsync.model.link import FOOTER
from tests.steps.deriving import stores

# Few records, so that what happens to them meets. Two are in one tool: copies of one original
# there are doubtful.
WORK = (
    Ref("jira-main", "issue", "1"),
    Ref("jira-ships", "issue", "1"),
    Ref("linear", "issue", "1"),
    Ref("linear", "issue", "2"),
)
ROOTS = (Ref("notion", "page", "1"), Ref("notion", "page", "2"))
MARKS: tuple[tuple[Part, str], ...] = (("mirror", FOOTER), ("mirror", "sync"), ("place", "link"))
CATEGORIES = (Category.todo, Category.done, Category.canceled)
STEPS = 60


def mention(target: Ref, part: Part, field: str, *, property_: bool = False) -> Mention:
    return Mention(str(target), target.instance, field, property_, "it", part)


def status(category: Category) -> Status:
    return Status(category.value, category.value, category)


def beginning() -> dict[Ref, Record]:
    """All work says that it waits for the first initiative, so that it matters which are copies:
    those only repeat it."""
    waits = mention(ROOTS[0], "", "description")
    found = {
        ref: Record(
            ref=ref,
            kind=Kind.issue,
            title=f"Item {ref.id}",
            status=status(Category.todo),
            aliases=(str(ref),),
            mentions=(waits,),
        )
        for ref in WORK
    }
    for ref in ROOTS:
        found[ref] = Record(ref=ref, kind=Kind.initiative, title="Plan", aliases=(str(ref),))
    return found


class Company:
    """How things are, and what people do to them."""

    def __init__(self, seed: int) -> None:
        self.die = Random(seed)
        self.records = beginning()
        self.decided: dict[frozenset[Ref], PairDecision] = {}
        self.read: dict[Ref, Record] = dict(self.records)
        """What changed since the last pass."""

    def turn(self) -> PairDecision | tuple[Ref, Ref] | None:
        """One thing happens; returns a decision, or the pair about which one is forgotten."""
        dice = self.die.random()
        if dice < 0.2:
            return self._decide()
        record = self.records[self.die.choice(WORK if dice < 0.85 else ROOTS)]
        if record.ref in ROOTS:
            changed = self._tracked(record)
        elif dice < 0.6:
            changed = self._marked(record)
        else:
            changed = self._otherwise(record)
        self.records[record.ref] = self.read[record.ref] = changed
        return None

    def _decide(self) -> PairDecision | tuple[Ref, Ref]:
        if self.decided and self.die.random() < 0.3:
            pair = self.die.choice(sorted(self.decided, key=sorted))
            forgotten = self.decided.pop(pair)
            return forgotten.two, forgotten.one
        one, two = self.die.sample(WORK, 2)
        kind = self.die.choice(("member", "same", "same", "related"))
        decision = PairDecision(
            one=self.die.choice(ROOTS) if kind == "member" else one,
            two=two,
            kind=cast("Any", kind),
            verdict=self.die.choice(("accepted", "rejected")),
            by="ana",
            at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        )
        self.decided[frozenset((decision.one, decision.two))] = decision
        return decision

    def _marked(self, record: Record) -> Record:
        """It says that it mirrors something, or no longer does."""
        marks = [one for one in record.mentions if one.part]
        if len(marks) > self.die.randrange(3):
            gone = self.die.choice(marks)
            return replace(record, mentions=tuple(one for one in record.mentions if one != gone))
        target = self.die.choice([ref for ref in WORK if ref.instance != record.ref.instance])
        new = mention(target, *self.die.choice(MARKS))
        return replace(record, mentions=(*(x for x in record.mentions if x != new), new))

    def _otherwise(self, record: Record) -> Record:
        match self.die.choice(("kind", "gone", "back", "detail", "parent", "done", "waits")):
            case "kind":
                return replace(record, kind=Kind.epic if record.kind is Kind.issue else Kind.issue)
            case "gone":
                return replace(record, tombstone="deleted")
            case "back":
                return replace(record, tombstone="")
            case "detail":
                return replace(record, detail=not record.detail)
            case "parent":
                fellows = [ref for ref in WORK if ref.instance == record.ref.instance]
                above = tuple(ref for ref in fellows if ref != record.ref)
                return replace(record, parents=() if record.parents else above)
            case "done":
                return replace(record, status=status(self.die.choice(CATEGORIES)))
            case _:
                waits = mention(ROOTS[0], "", "description")
                kept = tuple(one for one in record.mentions if one != waits)
                return replace(record, mentions=(waits, *kept) if kept == record.mentions else kept)

    def _tracked(self, root: Record) -> Record:
        tracked = self.die.sample(WORK, self.die.randrange(len(WORK) + 1))
        named = tuple(mention(ref, "", "Tracked in", property_=True) for ref in tracked)
        return replace(root, mentions=named, tombstone="" if self.die.random() < 0.9 else "trashed")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
async def test_what_changed_is_enough_to_look_at(
    seed: int, config: Config, empty: Path, tmp_path: Path
) -> None:
    company = Company(seed)
    one, whole, new = stores(("one", "whole", "new"), empty, tmp_path, config)
    for step in range(STEPS):
        if (decision := company.turn()) is not None:
            await one.decide(decision)
            await whole.decide(decision)
        if company.die.random() < 0.7 or step == STEPS - 1:
            await one.run(company.read.values())
            await whole.run(company.read.values(), again=True)
            assert one.derived() == whole.derived(), f"after step {step}"
            company.read = {}
    for each in company.decided.values():
        await new.decide(each)
    await new.run(company.records.values())
    assert one.derived() == new.derived()
    for deriving in (one, whole, new):
        await deriving.store.close()


async def test_a_second_copy_parts_the_first_from_its_original(
    config: Config, empty: Path, tmp_path: Path
) -> None:
    original, copy, second = WORK[0], *WORK[2:]
    mark = mention(original, *MARKS[0])
    now = beginning()
    now[copy] = replace(now[copy], mentions=(*now[copy].mentions, mark))
    [one] = stores(("one",), empty, tmp_path, config)
    repeated = (str(copy), str(ROOTS[0]))
    await one.run(now.values())
    assert repeated not in one.links()
    # Two copies in one tool are doubtful: each counts by itself, and so do its words.
    await one.run([replace(now[second], mentions=(*now[second].mentions, mark))])
    assert repeated in one.links()
    await one.run([now[second]])
    assert repeated not in one.links()
    await one.store.close()


async def test_what_joined_two_sides_and_is_a_container_by_now_parts_them(
    config: Config, empty: Path, tmp_path: Path
) -> None:
    """Links both ways join an issue with an issue only; the initiative does not name the one
    between."""
    first, between, last = WORK[0], WORK[1], WORK[2]
    now = {ref: replace(one, mentions=()) for ref, one in beginning().items()}
    for one, other in ((between, first), (between, last), (first, between), (last, between)):
        named = (*now[one].mentions, mention(other, *MARKS[2]))
        now[one] = replace(now[one], mentions=named)
    tracked = tuple(mention(ref, "", "Tracked in", property_=True) for ref in (first, last))
    now[ROOTS[0]] = replace(now[ROOTS[0]], mentions=tracked)
    [deriving] = stores(("one",), empty, tmp_path, config)
    await deriving.run(now.values())
    assert [r.total for r in await deriving.store.rollups()] == [1, 0]
    await deriving.run([replace(now[between], kind=Kind.epic)])
    assert [r.total for r in await deriving.store.rollups()] == [2, 0]
    await deriving.store.close()
