from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from tests.plugins.jira.conftest import SITE, Connect
from tests.support.connector import read

from opsync import (
    Card,
    Category,
    Change,
    Health,
    Kind,
    LinkContent,
    NotFound,
    OutcomeKind,
    Ref,
    Rollup,
    RollupContent,
    Seen,
    SignInError,
    Slot,
    TemporaryError,
    Value,
    Verb,
)
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.vendor import Faults
from opsync_jira import Jira, surfaces
from opsync_jira.surfaces import SURFACES, global_id

GRO = Ref("linear", "issue", "5d1c0000-aaaa-4bbb-8ccc-000000000044")
ROADMAP = Ref("notion", "page", "0123456789abcdef0123456789abcdef")


def link_content(**changes: Any) -> LinkContent:
    card = Card(
        ref=GRO,
        kind=changes.pop("kind", Kind.issue),
        label="GRO-44 Card form",
        url=changes.pop("url", "https://linear.app/harbor/issue/GRO-44"),
        tool="Linear",
        category=changes.pop("category", Category.in_progress),
    )
    fitting: dict[str, Any] = {
        "card": card,
        "title": "GRO-44 Card form",
        "subtitle": "Linear · in progress",
        "resolved": False,
        "category_name": "In progress",
        "relationship": "relates to",
    }
    return LinkContent(**(fitting | changes))


def rollup_content(**changes: Any) -> RollupContent:
    fitting: dict[str, Any] = {
        "root": Card(
            ref=ROADMAP,
            kind=Kind.initiative,
            label="One-tap checkout",
            url="https://www.notion.so/One-tap-checkout-0123456789abcdef0123456789abcdef",
            tool="Notion",
        ),
        "rollup": Rollup(rule="roadmap", root=ROADMAP, counts={}, done=12, total=20),
        "title": "Roadmap: One-tap checkout",
        "delivery": "12 of 20 done",
        "summary": "12/20 done · 3 blocked · at risk",
        "short": "12/20 · at risk",
        "percent": 0.6,
        "health": Health.at_risk,
        "health_name": "At risk",
        "work": (),
        "changed_on": date(2026, 3, 2),
        "at_root": False,
        "relationship": "roadmap",
    }
    return RollupContent(**(fitting | changes))


class Epic:
    """A simulated epic, and what opsync does to it."""

    def __init__(self, jira: Jira, site: JiraSite, ref: Ref) -> None:
        self.jira, self.site, self.ref = jira, site, ref
        self.serial = 0

    async def render(self, content: LinkContent | RollupContent) -> Value:
        surface = "link" if isinstance(content, LinkContent) else "rollup"
        return self.jira.render(surface, (await read(self.jira))["PAY-1"], content)

    async def put(self, surface: str, value: Value, **changes: Any) -> list[Any]:
        return await self.apply(self.change(surface, value, **changes))

    def change(self, surface: str, value: Value, **changes: Any) -> Change:
        self.serial += 1
        rule, other = ("roadmap", ROADMAP) if surface == "rollup" else ("mentions", GRO)
        fitting: dict[str, Any] = {
            "id": f"c{self.serial}",
            "slot": Slot(self.ref, surface, rule, other),
            "verb": Verb.remove if value is None else Verb.create,
            "desired": value,
        }
        return Change(**(fitting | changes))

    async def apply(self, *changes: Change) -> list[Any]:
        return [outcome async for outcome in self.jira.apply(changes, {})]

    async def observe(self) -> list[Seen]:
        records = await read(self.jira)
        return list(await self.jira.observe(records["PAY-1"]))

    @property
    def links(self) -> list[Any]:
        return list(self.site.remote_links.get(int(self.ref.id), {}).values())


@pytest.fixture
def epic(site: JiraSite, connect: Connect) -> Epic:
    issue = site.add_issue("PAY", "Checkout core", issue_type="Epic")
    return Epic(connect(site), site, Ref("jira-main", "issue", str(issue.id)))


def test_links_go_on_all_work_and_rollups_on_containers() -> None:
    places = {surface.name: surface for surface in SURFACES}

    assert Kind.issue in places["link"].kinds
    assert Kind.issue not in places["rollup"].kinds
    assert Kind.epic in places["link"].kinds & places["rollup"].kinds
    assert not any(surface.pulled for surface in SURFACES)


async def test_what_changed_in_use_stands_in_the_roadmap_link_as_it_is_worded(epic: Epic) -> None:
    worded = "14/14 done · usage −12 %"
    value = await epic.render(rollup_content(summary=worded))
    (outcome,) = await epic.put("rollup", value)
    (link,) = epic.links

    assert link.object["summary"] == worded
    assert outcome.applied == value


async def test_a_rollup_is_a_roadmap_link_with_its_numbers(epic: Epic) -> None:
    value = await epic.render(rollup_content())
    (outcome,) = await epic.put("rollup", value)

    assert outcome.kind is OutcomeKind.created
    assert outcome.remote_id == "opsync:rollup:roadmap:notion:page:0123456789abcdef0123456789abcdef"
    assert outcome.request_id.startswith("sandbox-")
    (link,) = epic.links
    assert link.global_id == outcome.remote_id
    assert link.relationship == "roadmap"
    assert link.application == {"type": "dev.opsync", "name": "Notion"}
    assert link.object == {
        "url": "https://www.notion.so/One-tap-checkout-0123456789abcdef0123456789abcdef",
        "title": "Roadmap: One-tap checkout",
        "summary": "12/20 done · 3 blocked · at risk",
    }


async def test_a_link_shows_the_status_of_the_other_item(epic: Epic) -> None:
    value = await epic.render(link_content())
    (outcome,) = await epic.put("link", value)

    (link,) = epic.links
    assert outcome.remote_id == link.global_id == f"opsync:link:{GRO}"
    assert link.relationship == "relates to"
    assert link.object == {
        "url": "https://linear.app/harbor/issue/GRO-44",
        "title": "GRO-44 Card form",
        "status": {
            "resolved": False,
            "icon": {
                "title": "In progress",
                "url16x16": f"{SITE}/images/icons/statuses/inprogress.png",
            },
        },
    }


async def test_a_link_stands_below_the_relationship_that_it_is_given(epic: Epic) -> None:
    value = await epic.render(link_content(relationship="verfolgt in"))

    assert isinstance(value, Mapping)
    assert value["relationship"] == "verfolgt in"


async def test_what_was_written_reads_back_as_the_value_that_was_applied(epic: Epic) -> None:
    for surface, content in (
        ("link", link_content(resolved=True, category=Category.done, category_name="Done")),
        ("rollup", rollup_content()),
    ):
        value = await epic.render(content)
        (outcome,) = await epic.put(surface, value)
        (seen,) = [seen for seen in await epic.observe() if seen.surface == surface]

        assert seen.plain() == outcome.applied == value
        assert seen.ours
        assert seen.remote_id == outcome.remote_id
        assert seen.address == epic.jira.address(surface, value)


async def test_writing_again_replaces_the_whole_link(epic: Epic) -> None:
    await epic.put("rollup", await epic.render(rollup_content()))
    before = epic.links[0].id

    (outcome,) = await epic.put("rollup", await epic.render(rollup_content(summary="")))

    assert outcome.kind is OutcomeKind.updated
    (link,) = epic.links
    assert link.id == before
    assert "summary" not in link.object


async def test_a_write_whose_answer_was_lost_is_repeated_without_harm(epic: Epic) -> None:
    value = await epic.render(link_content())
    epic.site.faults.lose_next_writes = 1

    (outcome,) = await epic.put("link", value)

    assert outcome.kind is OutcomeKind.updated
    assert len(epic.links) == 1


async def test_removing_takes_exactly_what_opsync_made(epic: Epic) -> None:
    other = {"object": {"title": "By hand", "url": "https://linear.app/harbor/issue/GRO-44"}}
    epic.site.put_remote_link(int(epic.ref.id), other)
    (made,) = await epic.put("link", await epic.render(link_content()))

    (outcome,) = await epic.put("link", None, remote_id=made.remote_id)
    (again,) = await epic.put("link", None, remote_id=made.remote_id)

    assert (outcome.kind, again.kind) == (OutcomeKind.removed, OutcomeKind.removed)
    assert [link.object["title"] for link in epic.links] == ["By hand"]


async def test_what_passed_to_another_rule_keeps_its_name_and_is_one_link(epic: Epic) -> None:
    (made,) = await epic.put("rollup", await epic.render(rollup_content()))
    renamed = Slot(epic.ref, "rollup", "delivery", ROADMAP)
    value = await epic.render(rollup_content(summary="13/20 done"))

    (outcome,) = await epic.put("rollup", value, slot=renamed, remote_id=made.remote_id)

    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.updated, made.remote_id)
    assert [link.object["summary"] for link in epic.links] == ["13/20 done"]
    await epic.put("rollup", None, slot=renamed, remote_id=made.remote_id)
    assert epic.links == []


async def test_an_id_that_is_none_of_opsyncs_names_no_link_of_its_own(epic: Epic) -> None:
    value = await epic.render(rollup_content())
    (outcome,) = await epic.put("rollup", value, remote_id="10016")
    assert outcome.remote_id == f"opsync:rollup:roadmap:{ROADMAP}"


async def test_what_stands_on_a_hidden_issue_is_not_removed(epic: Epic) -> None:
    (made,) = await epic.put("link", await epic.render(link_content()))
    epic.site.faults = Faults(deny={epic.ref.id})

    (outcome,) = await epic.put("link", None, remote_id=made.remote_id)

    assert (outcome.kind, outcome.retryable) == (OutcomeKind.failed, True)
    assert "hidden" in outcome.message
    assert len(epic.links) == 1


async def test_links_of_others_are_seen_as_theirs(epic: Epic) -> None:
    by_hand = {"object": {"title": " By\nhand ", "url": "https://x.example/1"}}
    by_app = by_hand | {"globalId": "appId=1&pageId=2", "relationship": "Wiki Page"}
    for body in (by_hand, by_app):
        epic.site.put_remote_link(int(epic.ref.id), body)

    seen = await epic.observe()

    assert [(one.surface, one.ours, one.address) for one in seen] == [
        ("link", False, "https://x.example/1")
    ] * 2
    assert [one.remote_id for one in seen] == [str(link.id) for link in epic.links]
    value = seen[0].plain()
    assert isinstance(value, Mapping)
    assert value["title"] == "By hand"


async def test_observing_takes_one_request(epic: Epic) -> None:
    records = await read(epic.jira)
    before = epic.jira.context.http.reads

    await epic.jira.observe(records["PAY-1"])

    assert epic.jira.context.http.reads == before + 1


async def test_observing_what_is_gone_says_so(epic: Epic) -> None:
    records = await read(epic.jira)
    epic.site.delete_issue("PAY-1")

    with pytest.raises(NotFound):
        await epic.jira.observe(records["PAY-1"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://x.example/\n<script>",
        "https://[broken",
    ],
)
async def test_only_web_addresses_are_ever_linked(epic: Epic, url: str) -> None:
    assert await epic.render(link_content(url=url)) is None


async def test_hostile_titles_are_written_inert_and_read_back_equal(epic: Epic) -> None:
    title = "\u202eevil\x00\x1b[31m <script>\n" + "x" * 65536
    value = await epic.render(link_content(title=title))
    (outcome,) = await epic.put("link", value)

    (seen,) = await epic.observe()

    assert isinstance(value, Mapping)
    assert str(value["title"]).startswith("evil [31m <script> xxx")
    assert len(str(value["title"])) == 255
    assert outcome.kind is OutcomeKind.created
    assert seen.plain() == value


async def test_a_title_that_is_empty_is_the_address(epic: Epic) -> None:
    value = await epic.render(link_content(title=" \u200f "))

    assert isinstance(value, Mapping)
    assert value["title"] == value["url"]


async def test_an_issue_that_is_gone_or_hidden_fails_for_now_and_the_others_go_on(
    epic: Epic,
) -> None:
    value = await epic.render(link_content())
    epic.site.faults.deny.add(epic.ref.id)
    lost = epic.change("link", value)
    removal = epic.change("rollup", None)

    outcomes = await epic.apply(lost, removal)

    for outcome in outcomes:
        assert (outcome.kind, outcome.retryable) == (OutcomeKind.failed, True)
        assert "gone" in outcome.message
    assert len(outcomes) == 2


async def test_a_missing_permission_fails_with_the_place_that_mends_it(epic: Epic) -> None:
    value = await epic.render(link_content())
    epic.site.faults.read_only = True

    (outcome,) = await epic.put("link", value)

    assert outcome.kind is OutcomeKind.failed
    assert outcome.retryable
    for words in ("permission Link issues", "Project settings → Permissions", "linking is on"):
        assert words in outcome.message


async def test_a_full_issue_fails_naming_the_limit(epic: Epic) -> None:
    epic.site.remote_link_limit = 0

    (outcome,) = await epic.put("link", await epic.render(link_content()))

    assert outcome.kind is OutcomeKind.failed
    assert "as many remote links as Jira allows" in outcome.message


async def test_an_outage_and_a_dead_token_concern_the_whole_instance(epic: Epic) -> None:
    value = await epic.render(link_content())
    epic.site.faults.refuse_token = True
    with pytest.raises(SignInError):
        await epic.put("link", value)
    epic.site.faults.refuse_token = False
    epic.site.start_outage()
    with pytest.raises(TemporaryError):
        await epic.put("link", value)


async def test_writes_to_one_issue_keep_within_its_limit(site: JiraSite, connect: Connect) -> None:
    site.limit_factor = 1
    issue = site.add_issue("PAY", "Popular")
    epic = Epic(connect(site), site, Ref("jira-main", "issue", str(issue.id)))
    value = await epic.render(link_content())
    changes = [
        epic.change(
            "link", value, slot=Slot(epic.ref, "link", "mentions", Ref("linear", "issue", str(n)))
        )
        for n in range(50)
    ]

    outcomes = await epic.apply(*changes)

    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.created] * 50
    assert len(epic.links) == 50


def test_a_name_too_long_for_jira_is_shortened_to_one_of_its_own() -> None:
    def named(rule: str) -> str:
        return global_id(Slot(GRO, "rollup", rule, ROADMAP))

    long, longer = named("r" * 300), named("r" * 301)

    assert long != longer
    assert long.startswith("opsync:rollup:#")
    assert max(len(long), len(longer)) <= surfaces.MAX_GLOBAL_ID
