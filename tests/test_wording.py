"""The texts that opsync writes, as people meet them."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from opsync.languages import Changed, words_of
from opsync.model import (
    Card,
    Category,
    Container,
    Health,
    Kind,
    Rollup,
    Space,
)
from opsync.wording import card, delivery, link_content, rollup_content, summary, work
from tests.support.build import record, ref

BASE = Rollup(rule="roadmap", root=ref("p", "notion"), counts={}, done=12, total=20, progress=0.6)


def rollup(**more: object) -> Rollup:
    made = msgspec.structs.replace(BASE, **{"health": Health.on_track, **more})
    if "progress" not in more:
        made = msgspec.structs.replace(
            made, progress=made.done / made.total if made.total else None
        )
    return made


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {
                "blocked": 3,
                "spaces": (Space("Payments", 8, 12), Space("Growth", 4, 8)),
                "due_on": date(2026, 12, 1),
                "health": Health.at_risk,
            },
            "12 of 20 done · 3 blocked · Payments 8/12, Growth 4/8 · at risk: 60 % done, due 1 Dec",
        ),
        (
            {"done": 6, "total": 16, "scope_added": 6, "scope_since": date(2026, 11, 15)},
            "6 of 16 done · scope +6 since 15 Nov",
        ),
        (
            {"done": 7, "total": 7, "canceled": 6, "done_since": date(2026, 11, 1)},
            "7 of 7 done · 6 canceled, not counted",
        ),
        (
            {"done": 7, "total": 11, "private": 4},
            "7 of 11 done · 4 in a private team, counted only",
        ),
        ({"done": 18, "total": 18, "done_since": date(2026, 11, 6)}, "18 of 18 done since 6 Nov"),
        ({"done": 7, "total": 8, "missing": ("x",)}, "7 of 8 done · 1 linked but not readable"),
    ],
)
def test_delivery_reads_as_documented(given: dict[str, object], text: str) -> None:
    health = given.pop("health", Health.on_track)
    assert delivery(msgspec.structs.replace(rollup(**given), health=health)) == text


def test_an_initiative_without_work_says_what_to_do() -> None:
    empty = rollup(done=0, total=0, health=Health.no_linked_work)
    assert delivery(empty, paste_into="Tracked in", paste_tools=("Jira", "Linear")) == (
        'No linked work. Paste a Jira or Linear link into "Tracked in".'
    )


def test_a_number_kept_since_a_tool_is_unreadable_says_since_when() -> None:
    kept = rollup(done=3, total=8)
    assert delivery(kept, stale=(date(2026, 11, 20), "Linear")) == (
        "3 of 8 done as of 20 Nov · Linear unreadable since, number kept"
    )


def test_the_summary_is_short() -> None:
    made = msgspec.structs.replace(rollup(blocked=3), health=Health.at_risk)
    assert summary(made) == "12/20 done · 3 blocked · at risk"


def test_work_names_containers_with_counts_and_cuts_single_issues() -> None:
    singles = [record(str(n), title=f"Issue {n}") for n in range(12)]
    epic = record("e", kind=Kind.epic, title="Checkout core", key="PAY-100")
    project = record("w", kind=Kind.project, title="Checkout web", key="")
    made = rollup(
        containers=(
            Container(epic.ref, 8, 12),
            Container(project.ref, 4, 8),
            *(Container(s.ref, 0, 1, single=True) for s in singles),
        )
    )
    cards = {r.ref: card(r, "Linear", "nothing") for r in (epic, project, *singles)}
    texts = [item.text for item in work(made, cards)]
    assert texts[:2] == ["PAY-100 Checkout core 8/12", "Checkout web (Linear) 4/8"]
    assert len(texts) == 13
    assert texts[-1] == "+2 more"


@pytest.mark.parametrize(
    ("expose", "label", "url"),
    [
        ("nothing", "Private item", ""),
        ("key", "K-1", "https://jira.example/1"),
        ("title", "K-1 Secret plan", "https://jira.example/1"),
    ],
)
def test_private_work_shows_only_what_its_instance_exposes(
    expose: str, label: str, url: str
) -> None:
    shown = card(record("1", title="Secret plan", private=True), "Jira", expose)
    assert (shown.label, shown.url) == (label, url)


@pytest.mark.parametrize("expose", ["key", "title"])
def test_the_address_of_private_work_never_holds_its_title(expose: str) -> None:
    slugged = {"url": "https://jira.example/K-1/rotate-the-vault-keys", "title": "Rotate the vault"}
    assert card(record("1", private=True, **slugged), "Jira", expose).url == (
        "https://jira.example/K-1"
    )
    assert card(record("1", **slugged), "Jira", expose).url == slugged["url"]
    nameless = "https://jira.example/rotate-the-vault-keys"
    assert card(record("1", private=True, url=nameless), "Jira", expose).url == ""


def test_a_link_tells_title_tool_and_category_and_no_count() -> None:
    issue = record("1", "in_progress", key="PAY-118", title="Tokenise cards")
    content = link_content(card(issue, "Jira", "nothing"))
    assert (content.title, content.subtitle, content.resolved) == (
        "PAY-118 Tokenise cards",
        "Jira · in progress",
        False,
    )


def test_a_page_is_called_after_its_data_source() -> None:
    page = record("p", instance="notion", title="One-tap checkout", space="Roadmap")
    made: Card = card(page, "Notion", "nothing")
    assert made.label == "Roadmap: One-tap checkout"
    assert made.category is Category.todo


def test_a_date_of_another_year_tells_its_year() -> None:
    late = msgspec.structs.replace(
        rollup(done=1, total=4, due_on=date(2030, 3, 1)), health=Health.at_risk
    )
    assert delivery(late, today=date(2026, 11, 22)).endswith("due 1 Mar 2030")
    assert delivery(late, today=date(2030, 1, 1)).endswith("due 1 Mar")


@pytest.mark.parametrize(
    ("kind", "relationship"),
    [
        (Kind.initiative, "tracked in"),
        (Kind.project, "tracked in"),
        (Kind.epic, "tracked in"),
        (Kind.document, "tracked in"),
        (Kind.issue, "relates to"),
    ],
)
def test_an_issue_is_tracked_in_a_container_and_relates_to_another(
    kind: Kind, relationship: str
) -> None:
    assert link_content(card(record("1", kind=kind), "Jira", "nothing")).relationship == (
        relationship
    )


def test_a_container_tells_whose_work_it_is_and_how_far_that_is() -> None:
    page = record("p", instance="notion", title="One-tap checkout", space="Roadmap")
    content = rollup_content(
        msgspec.structs.replace(rollup(blocked=3), health=Health.at_risk),
        card(page, "Notion", "nothing"),
        {},
        paste_into="",
        paste_tools=(),
        stale=None,
        changed_on=date(2026, 11, 22),
        at_root=False,
    )
    assert (content.title, content.relationship) == ("Roadmap: One-tap checkout", "roadmap")
    assert content.label == "Roadmap: One-tap checkout · 12/20 · at risk"
    assert content.summary == "12/20 done · 3 blocked · at risk"


# German -----------------------------------------------------------------------------------------

GERMAN = words_of("de")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {
                "blocked": 3,
                "spaces": (Space("Payments", 8, 12), Space("Growth", 4, 8)),
                "due_on": date(2026, 12, 1),
                "health": Health.at_risk,
            },
            (
                "12 von 20 erledigt · 3 blockiert · Payments 8/12, Growth 4/8 · "
                "gefährdet: 60 % erledigt, fällig 1. Dez."
            ),
        ),
        (
            {"done": 6, "total": 16, "scope_added": 6, "scope_since": date(2026, 11, 15)},
            "6 von 16 erledigt · Umfang +6 seit 15. Nov.",
        ),
        ({"done": 7, "total": 7, "canceled": 6}, "7 von 7 erledigt · 6 abgebrochen, nicht gezählt"),
        (
            {"done": 7, "total": 11, "private": 4},
            "7 von 11 erledigt · 4 in einem privaten Team, nur gezählt",
        ),
        (
            {"done": 18, "total": 18, "done_since": date(2026, 11, 6)},
            "18 von 18 erledigt seit 6. Nov.",
        ),
        ({"health": Health.paused}, "12 von 20 erledigt · pausiert"),
        (
            {"health": Health.off_track, "due_on": date(2025, 3, 1)},
            "12 von 20 erledigt · in Verzug: 60 % erledigt, fällig 1. März 2025",
        ),
    ],
)
def test_delivery_reads_well_in_german(given: dict[str, object], text: str) -> None:
    health = given.pop("health", Health.on_track)
    made = msgspec.structs.replace(rollup(**given), health=health)
    assert delivery(made, words=GERMAN, today=date(2026, 11, 22)) == text


def test_what_stands_instead_of_a_summary_reads_well_in_german() -> None:
    empty = rollup(done=0, total=0, health=Health.no_linked_work)
    told = delivery(
        empty, words=GERMAN, paste_into="Tracked in", paste_tools=("Jira", "Linear", "Acme")
    )
    assert told == (
        "Keine verknüpfte Arbeit. Link zu Jira oder Linear oder Acme in „Tracked in“ einfügen."
    )
    kept = delivery(rollup(done=3, total=8), words=GERMAN, stale=(date(2026, 11, 20), "Linear"))
    assert kept == (
        "3 von 8 erledigt, Stand 20. Nov. · Linear seitdem nicht lesbar, Zahl beibehalten"
    )


@pytest.mark.parametrize(("hidden", "text"), [(1, "+1 weiterer Eintrag"), (2, "+2 weitere")])
def test_one_more_and_several_more_differ_in_german(hidden: int, text: str) -> None:
    epic = record("e", kind=Kind.epic, title="Checkout core", key="PAY-100")
    lost = [Container(record(str(n)).ref, 0, 1, single=True) for n in range(hidden)]
    made = rollup(containers=(Container(epic.ref, 8, 12), *lost))
    items = work(made, {epic.ref: card(epic, "Jira", "nothing")}, GERMAN)
    assert items[-1].text == text


# Other templates --------------------------------------------------------------------------------


def test_parts_can_be_put_in_another_order_and_dropped() -> None:
    words = words_of(
        "en", Changed(texts={"delivery": "{why} · {percent} % · {blocked}", "due": ""})
    )
    made = msgspec.structs.replace(
        rollup(blocked=3, due_on=date(2026, 12, 1)), health=Health.at_risk
    )
    assert delivery(made, words=words) == "at risk: 60 % done · 60 % · 3 blocked"
    assert delivery(rollup(), words=words) == "60 %"


def test_what_is_written_between_parts_can_be_changed() -> None:
    words = words_of("en", Changed(separator=" | "))
    made = msgspec.structs.replace(rollup(blocked=3), health=Health.paused)
    assert delivery(made, words=words) == "12 of 20 done | 3 blocked | paused"


def test_a_title_with_braces_and_separators_is_a_title() -> None:
    odd = record("1", title="{count} · {title.x} {{", key="PAY-1")
    shown = card(odd, "Jira", "nothing")
    assert shown.label == "PAY-1 {count} · {title.x} {{"
    assert link_content(shown, words_of("en", Changed(separator=" | "))).title == shown.label
