"""Made-up items on which texts are tried that no real item shows: one for each odd case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from opsync.engine.examples_used import RELEASE, SEEN, USED
from opsync.languages import Words
from opsync.model import (
    Adoption,
    Card,
    Category,
    Container,
    Health,
    Kind,
    Record,
    Ref,
    Release,
    Rollup,
    RollupContent,
    Space,
    Status,
)
from opsync.wording import card, link_content, release_content, rollup_content

TODAY = date(2026, 11, 22)
POSTED = (Health.on_track, Health.at_risk, Health.off_track)
"""The healths of which a project update tells; others are not posted."""


class Example(Struct, frozen=True, kw_only=True):
    """An initiative with a number of counted items. `paste_into` is "" where a rule lists no
    column; `tools` are those that one may paste from, `stale` the day since when Linear cannot be
    read. `used` is how much it is used, `released` when it was shipped."""

    about: str
    done: int = 0
    total: int = 0
    health: Health = Health.on_track
    blocked: int = 0
    canceled: int = 0
    private: int = 0
    missing: tuple[str, ...] = ()
    scope: int = 0
    finished: date | None = None
    due: date | None = None
    spaces: tuple[Space, ...] = ()
    work: tuple[Record, ...] = ()
    unlisted: int = 0
    tools: tuple[str, ...] = ("Jira", "Linear")
    paste_into: str = "Tracked in"
    stale: date | None = None
    used: tuple[Adoption, ...] = ()
    released: Release | None = None

    def say(self, words: Words) -> None:
        """Word all texts about it, and about what it names."""
        root = _page("page", self.about)
        cards = {one.ref: _card(one, words) for one in self.work}
        content = rollup_content(
            self._rollup(root.ref),
            _card(root, words),
            cards,
            paste_into=self.paste_into,
            paste_tools=self.tools,
            stale=(self.stale, "Linear") if self.stale else None,
            changed_on=TODAY,
            at_root=True,
            measured_in={"example": "PostHog"},
            words=words,
        )
        say_besides(content, words)
        for each in cards.values():
            link_content(each, words)

    def _rollup(self, root: Ref) -> Rollup:
        hidden = [_issue(f"hidden-{number}", "") for number in range(self.unlisted)]
        return Rollup(
            rule="roadmap",
            root=root,
            counts={},
            done=self.done,
            total=self.total,
            progress=self.done / self.total if self.total else None,
            health=self.health,
            blocked=self.blocked,
            canceled=self.canceled,
            private=self.private,
            missing=self.missing,
            scope_added=self.scope,
            scope_since=date(2026, 11, 15) if self.scope else None,
            done_since=self.finished,
            due_on=self.due,
            spaces=self.spaces,
            adoption=self.used,
            released=self.released,
            announced_in=(Ref("example", "project", "1"),) if self.released else (),
            containers=tuple(
                Container(one.ref, self.done, self.total, single=one.kind is Kind.issue)
                for one in (*self.work, *hidden)
            ),
        )


def say_besides(content: RollupContent, words: Words) -> None:
    """The texts about an initiative that are no summary: a project update, an annotation."""
    if content.health in POSTED:
        words.text("project_update", link=content.title, health=words.health_inline[content.health])
    release = content.rollup.released
    if release is None or release.on is None or not content.rollup.announced_in:
        return
    if content.root.url:
        release_content(content.root, release, words)


def examples() -> Iterator[Example]:
    """All odd cases. Together they use every text that there is."""
    epic = _made("PAY-100", "Checkout core", Kind.epic)
    project = _made("", "Checkout web", Kind.project)
    issue = _made("PAY-118", "Tokenise cards", Kind.issue)
    yield Example(
        about="One-tap checkout",
        done=12,
        total=20,
        health=Health.at_risk,
        blocked=3,
        spaces=(Space("Payments", 8, 12), Space("Growth", 4, 8)),
        due=date(2026, 12, 1),
        work=(epic, project, issue),
        unlisted=2,
    )
    yield Example(about="Churn survey", done=6, total=16, scope=6, work=(epic,), unlisted=1)
    yield Example(about="Dark mode", done=7, total=7, health=Health.done, canceled=6)
    yield Example(
        about="Fraud rules v2",
        done=7,
        total=11,
        private=4,
        work=(_made("", "", Kind.project, private=True),),
    )
    yield Example(about="Partner API", done=5, total=9, missing=("MOB-41",))
    yield Example(
        about="SSO for teams", done=18, total=18, health=Health.done, finished=date(2026, 11, 6)
    )
    yield Example(about="Data residency EU", done=3, total=8, stale=date(2026, 11, 20))
    nothing = Health.no_linked_work
    yield Example(about="Warehouse export", health=nothing)
    yield Example(about="Referral programme", health=nothing, paste_into="")
    yield Example(about="Loyalty", health=nothing, tools=())
    for number, one in enumerate(USED):
        yield Example(
            about="Instant payouts",
            done=14,
            total=14,
            health=Health.done,
            used=(one,),
            released=None if one.effect is None else SEEN if number else RELEASE,
        )


def _made(key: str, title: str, kind: Kind, *, private: bool = False) -> Record:
    return Record(
        ref=Ref("example", kind.value, key or title),
        kind=kind,
        key=key,
        title=title,
        url="https://example.invalid/",
        status=Status("1", "Doing", Category.in_progress),
        private=private,
    )


def _page(id_: str, title: str) -> Record:
    return Record(
        ref=Ref("example", "page", id_),
        kind=Kind.initiative,
        title=title,
        url="https://example.invalid/",
        space="Roadmap",
    )


def _issue(id_: str, title: str) -> Record:
    return Record(ref=Ref("example", "issue", id_), kind=Kind.issue, title=title)


def _card(record: Record, words: Words) -> Card:
    tool = "Linear" if record.kind is Kind.project else "Jira"
    tool = "Notion" if record.ref.stream == "page" else tool
    return card(record, tool, "key", words)
